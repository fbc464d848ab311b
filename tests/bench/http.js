// SPDX-License-Identifier: LGPL-2.1-or-later
// What `--programs` has node serve (programs.py): `node http.js PORT`, 1,000 bytes to everybody.
'use strict';
const body = Buffer.alloc(1000, 'x');
require('http').createServer((request, response) => response.end(body)).listen(+process.argv[2], '127.0.0.1');
