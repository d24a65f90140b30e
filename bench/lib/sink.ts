/**
 * A process that stands for a receiver and costs as little as one can. `sink.ts acked [PORT]` counts records,
 * `sink.ts plain [PORT]` bytes. It prints `port N` once it listens, and every 20 ms, where it has changed, `got N MS`: how much, and when (Unix time).
 */
import { createServer, Socket, type SocketConstructorOpts } from 'node:net';
import { FrameCounter } from './frame_counter.ts';

const [mode = '', port = '0'] = process.argv.slice(2);
const isAcked = mode === 'acked';
let got = 0;
let told = -1;

const server = createServer({ pauseOnConnect: true }, (accepted) => {
  const counter = new FrameCounter(
    (message) => socket.write(message),
    (records) => (got += records),
  );
  // The accepted connection again, but read into one buffer that is used again and again.
  const options: SocketConstructorOpts & { handle: unknown } = {
    handle: Reflect.get(accepted, '_handle'),
    readable: true,
    writable: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(1024 * 1024),
      callback(bytes, buffer) {
        if (isAcked) counter.push(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
        else got += bytes;
        return true;
      },
    },
  };
  const socket = new Socket(options);
  socket.on('error', () => socket.destroy());
  socket.resume();
});

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  console.log(`port ${typeof address === 'object' && address !== null ? address.port : 0}`);
});

setInterval(() => {
  if (got === told) return;
  told = got;
  console.log(`got ${got} ${Date.now()}`);
}, 20);
