// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs for node.exe (libuv), each with its own check: `node node.js NAME`.  Prints "OK ..." and exits
// with 0, or says what went wrong and exits with 1.  Runs on node 12 and later, on loopback only.
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const net = require('net');

// The same bytes in every run, with no period that a lost block could hide in.
function bytes(size, seed) {
  const out = Buffer.alloc(size);
  let x = seed >>> 0;
  for (let i = 0; i < size; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    out[i] = x >>> 24;
  }
  return out;
}

const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');

function listen(server, options) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options || { port: 0, host: '127.0.0.1' }, () => resolve(server.address()));
  });
}

const close = (server) => new Promise((resolve) => server.close(resolve));

function collect(stream) {
  return new Promise((resolve, reject) => {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => resolve(Buffer.concat(parts)));
    stream.on('error', reject);
  });
}

const failure = (emitter) => new Promise((resolve) => emitter.once('error', resolve));

const jobs = {
  // 1,000 requests on 8 connections that are kept alive
  async http() {
    const http = require('http');
    const body = bytes(5000, 1);
    let connections = 0;
    const server = http.createServer((request, response) => {
      collect(request).then((data) => response.end(Buffer.concat([data, body])));
    });
    server.on('connection', () => connections++);
    const { port } = await listen(server);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const one = (i) => new Promise((resolve, reject) => {
      const data = bytes(i % 300, i);
      const request = http.request({ port, host: '127.0.0.1', agent, method: 'POST' }, (response) => {
        collect(response).then((answer) => {
          assert(answer.equals(Buffer.concat([data, body])), `answer ${i} differs`);
          resolve();
        }).catch(reject);
      });
      request.on('error', reject);
      request.end(data);
    });
    let next = 0;
    const lane = async () => { while (next < 1000) await one(next++); };
    await Promise.all(Array.from({ length: 8 }, lane));
    agent.destroy();
    await close(server);
    assert(connections <= 16, `${connections} connections`);
    return `1000 requests on ${connections} connections`;
  },

  // 50 MB each way at the same time
  async bulk() {
    const size = 50e6;
    const there = bytes(1 << 20, 2), back = bytes(1 << 20, 3);
    const repeat = (block) => Buffer.concat(Array(Math.ceil(size / block.length)).fill(block)).slice(0, size);
    const server = net.createServer((socket) => {
      collect(socket).then((data) => { server.got = sha256(data); });
      socket.end(repeat(back));
    });
    const { port } = await listen(server);
    const client = net.connect(port, '127.0.0.1');
    client.end(repeat(there));
    const data = await collect(client);
    assert.strictEqual(sha256(data), sha256(repeat(back)));
    await close(server);
    assert.strictEqual(server.got, sha256(repeat(there)));
    return `${size} bytes each way`;
  },

  // 200 connections at a time, each with its own data
  async connections() {
    const server = net.createServer((socket) => socket.pipe(socket));
    const { port } = await listen(server);
    await Promise.all(Array.from({ length: 200 }, async (_, i) => {
      const data = bytes(1000 + i, i);
      const socket = net.connect(port, '127.0.0.1');
      socket.end(data);
      assert((await collect(socket)).equals(data), `connection ${i}`);
    }));
    await close(server);
    return '200 connections';
  },

  // TCP keep-alive is set on both ends
  async keepalive() {
    const server = net.createServer((socket) => { socket.setKeepAlive(true, 5000); socket.pipe(socket); });
    const { port } = await listen(server);
    const socket = net.connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.setKeepAlive(true, 1000);
    socket.setNoDelay(true);
    socket.end('x');
    assert.strictEqual((await collect(socket)).toString(), 'x');
    await close(server);
    return 'set on both';
  },

  async ipv6() {
    const server = net.createServer((socket) => socket.end(socket.remoteAddress));
    const { port } = await listen(server, { port: 0, host: '::1' });
    assert.strictEqual((await collect(net.connect(port, '::1'))).toString(), '::1');
    await close(server);
    return 'connected over ::1';
  },

  // one listener for both families
  async dualstack() {
    const server = net.createServer((socket) => socket.end(socket.remoteFamily + ' ' + socket.remoteAddress));
    const { port } = await listen(server, { port: 0, host: '::' });
    assert(/127\.0\.0\.1$/.test((await collect(net.connect(port, '127.0.0.1'))).toString()));
    assert(/::1$/.test((await collect(net.connect(port, '::1'))).toString()));
    await close(server);
    return 'both families';
  },

  async refused() {
    const server = net.createServer();
    const { port } = await listen(server);
    await close(server);
    const error = await failure(net.connect(port, '127.0.0.1'));
    assert.strictEqual(error.code, 'ECONNREFUSED');
    return error.code;
  },

  async inuse() {
    const server = net.createServer(), second = net.createServer();
    const { port } = await listen(server);
    const error = await listen(second, { port, host: '127.0.0.1' }).then(() => ({}), (e) => e);
    assert.strictEqual(error.code, 'EADDRINUSE');
    await close(server);
    return error.code;
  },

  // a reset is an error, not an end; node 12 can make one only by closing what it has not read
  async reset() {
    const can = 'resetAndDestroy' in net.Socket.prototype;
    const server = net.createServer({ pauseOnConnect: !can }, (socket) => {
      socket.on('error', () => {});
      if (can) socket.once('data', () => socket.resetAndDestroy());
      else setTimeout(() => socket.destroy(), 300);
    });
    const { port } = await listen(server);
    const socket = net.connect(port, '127.0.0.1');
    socket.write('x');
    const error = await failure(socket);
    assert.strictEqual(error.code, 'ECONNRESET');
    await close(server);
    return error.code;
  },

  async timeout() {
    const server = net.createServer((socket) => socket.on('error', () => {}));
    const { port } = await listen(server);
    const socket = net.connect(port, '127.0.0.1');
    const start = Date.now();
    socket.setTimeout(300);
    await new Promise((resolve) => socket.once('timeout', resolve));
    assert(Date.now() - start >= 250);
    socket.destroy();
    await close(server);
    return 'idle time-out';
  },

  // a slow reader holds the writer back
  async backpressure() {
    const size = 20e6;
    let held = 0;
    const server = net.createServer((socket) => {
      let left = size;
      const block = bytes(65536, 4);
      const write = () => {
        while (left > 0) {
          const part = block.slice(0, Math.min(left, block.length));
          left -= part.length;
          if (!socket.write(part)) { held++; socket.once('drain', write); return; }
        }
        socket.end();
      };
      write();
    });
    const { port } = await listen(server);
    const socket = net.connect(port, '127.0.0.1');
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert(socket.bytesRead < size / 2, `${socket.bytesRead} bytes were read ahead`);
    const data = await collect(socket.resume());
    assert.strictEqual(data.length, size);
    assert(held > 0);
    await close(server);
    return `held back ${held} times`;
  },

  // UDP over both families: plain, connected, a large datagram, options
  async udp() {
    const dgram = require('dgram');
    for (const [type, host] of [['udp4', '127.0.0.1'], ['udp6', '::1']]) {
      const a = dgram.createSocket(type), b = dgram.createSocket(type);
      const bound = (s) => new Promise((resolve) => s.bind(0, host, resolve));
      await bound(a);
      await bound(b);
      b.on('message', (data, from) => b.send(data, from.port, from.address));
      const ask = (data, ...to) => new Promise((resolve, reject) => {
        a.once('message', resolve);
        a.send(data, ...to, (error) => { if (error) reject(error); });
      });
      for (const size of [1, 1400, 60000]) {
        const data = bytes(size, size);
        assert((await ask(data, b.address().port, host)).equals(data), `${type}, ${size} bytes`);
      }
      a.setTTL(10);
      a.setBroadcast(true);
      if (a.connect) {
        await new Promise((resolve) => a.connect(b.address().port, host, resolve));
        assert((await ask(Buffer.from('connected'))).equals(Buffer.from('connected')));
      }
      a.setRecvBufferSize(100000);
      assert(a.getRecvBufferSize() >= 100000);
      a.close();
      b.close();
    }
    return 'udp4 and udp6';
  },

  async multicast() {
    const dgram = require('dgram');
    const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
    await new Promise((resolve) => socket.bind(0, '0.0.0.0', resolve));
    socket.addMembership('239.1.2.3', '127.0.0.1');
    socket.setMulticastInterface('127.0.0.1');
    socket.setMulticastLoopback(true);
    socket.setMulticastTTL(1);
    const message = new Promise((resolve) => socket.once('message', resolve));
    socket.send('group', socket.address().port, '239.1.2.3');
    assert.strictEqual((await message).toString(), 'group');
    socket.dropMembership('239.1.2.3', '127.0.0.1');
    socket.close();
    return 'joined, sent, received, left';
  },

  async dns() {
    const dns = require('dns').promises;
    const all = await dns.lookup('localhost', { all: true });
    assert(all.some((a) => a.address === '127.0.0.1'), JSON.stringify(all));
    const missing = await dns.lookup('no-such-host.invalid').then(() => ({}), (error) => error);
    assert(/ENOTFOUND|EAI_AGAIN/.test(missing.code), missing.code);
    const service = await dns.lookupService('127.0.0.1', 80);
    assert(service.service);
    return `localhost, ${missing.code}, ${service.service}`;
  },

  async interfaces() {
    const all = [].concat(...Object.values(require('os').networkInterfaces()));
    assert(all.some((i) => i.address === '127.0.0.1'), JSON.stringify(all));
    return `${all.length} addresses`;
  },

  // a named pipe is no socket, and works beside them
  async pipe() {
    const path = `\\\\.\\pipe\\ringsock-${process.pid}`;
    const server = net.createServer((socket) => socket.pipe(socket));
    await new Promise((resolve) => server.listen(path, resolve));
    const socket = net.connect(path);
    const data = bytes(100000, 5);
    socket.end(data);
    assert((await collect(socket)).equals(data));
    await close(server);
    return 'echoed';
  },

  // a socket is handed to a child process (WSADuplicateSocketW)
  async handoff() {
    const { fork } = require('child_process');
    const child = fork(__filename, ['handoff-child']);
    await new Promise((resolve) => child.once('message', resolve));
    const server = net.createServer({ pauseOnConnect: true }, (socket) => child.send('socket', socket));
    const { port } = await listen(server);
    for (let i = 0; i < 5; i++) {
      const socket = net.connect(port, '127.0.0.1');
      const data = bytes(20000, i);
      socket.end(data);
      assert((await collect(socket)).equals(data), `connection ${i}`);
    }
    child.disconnect();
    await close(server);
    return '5 connections';
  },

  // a listener shared by two workers
  async cluster() {
    const cluster = require('cluster');
    cluster.setupMaster({ exec: __filename, args: ['cluster-worker'] });
    const workers = [cluster.fork(), cluster.fork()];
    const ports = await Promise.all(workers.map((w) => new Promise((resolve) => w.once('listening', (a) => resolve(a.port)))));
    for (let i = 0; i < 20; i++) {
      const socket = net.connect(ports[0], '127.0.0.1');
      socket.end(`${i}`);
      assert.strictEqual((await collect(socket)).toString(), `${i}`);
    }
    await Promise.all(workers.map((w) => new Promise((resolve) => { w.once('exit', resolve); w.disconnect(); })));
    return '20 connections';
  },

  // a file of a server outside, COUNT times, 4 at a time: node.js download PORT COUNT SHA256
  async download() {
    const http = require('http');
    const [port, count, wanted] = [+process.argv[3], +process.argv[4], process.argv[5]];
    const one = () => new Promise((resolve, reject) => {
      http.get({ port, host: '127.0.0.1', path: '/blob' }, (answer) => collect(answer).then(resolve, reject))
        .on('error', reject);
    });
    let next = 0;
    const lane = async () => { while (next++ < count) assert.strictEqual(sha256(await one()), wanted); };
    await Promise.all(Array.from({ length: 4 }, lane));
    return `${count} files from the host`;
  },

  // node 18 and later: undici, which keeps connections alive
  async fetch() {
    const http = require('http');
    const body = bytes(200000, 6);
    const server = http.createServer((request, response) => response.end(body));
    const { port } = await listen(server);
    for (let i = 0; i < 50; i++) {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      assert(Buffer.from(await response.arrayBuffer()).equals(body), `answer ${i}`);
    }
    server.closeAllConnections();
    await close(server);
    return '50 answers';
  },
};

const children = {
  'handoff-child'() {
    process.on('message', (what, socket) => { if (socket) { socket.pipe(socket); socket.resume(); } });
    process.send('ready');
  },
  // answers with the checksum of what is posted, until it is killed
  serve() {
    const server = require('http').createServer((request, response) => {
      collect(request).then((data) => response.end(sha256(data)));
    });
    listen(server).then(({ port }) => console.log(`port ${port}`));
  },
  'cluster-worker'() {
    net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  },
};

const name = process.argv[2];
if (children[name]) {
  children[name]();
} else {
  jobs[name]().then((what) => { console.log(`OK ${what}`); process.exit(0); }, (error) => {
    console.log(`FAILED ${name}: ${error.stack || error}`);
    process.exit(1);
  });
}
