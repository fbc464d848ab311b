// SPDX-License-Identifier: LGPL-2.1-or-later
// An HTTP server for the soak: answers with what it was sent.
'use strict';
const server = require('http').createServer((request, response) => request.pipe(response));
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
