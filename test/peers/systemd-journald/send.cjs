'use strict';
/**
 * A service that logs with systemd-journald, on the Node that npm runs on: `send.cjs CALLS`. CALLS is a JSON array; of each member `send` goes to the
 * package's own `send` (a priority and `NAME=value` texts), or `level`, `message` and `fields` to its logger. Prints its process id.
 */
const Journald = require('systemd-journald');
const native = require('systemd-journald/build/Release/journal_send.node');

const logger = new Journald({ syslog_identifier: 'peer' });
for (const { send, level, message, error, fields } of JSON.parse(process.argv[2])) {
  if (send !== undefined) native.send(...send);
  else logger[level](error === undefined ? message : new RangeError(error), fields);
}
console.log(process.pid);
