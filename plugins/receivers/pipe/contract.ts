import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReceiverContract } from '../../../test/contract/contract.ts';

export default {
  async open(directory) {
    const path = join(directory, 'app.pipe');
    return {
      options: { path },
      write: (bodies) => appendFile(path, bodies.map((body) => `${body}\n`).join('')),
      writeUnfinished: (body, beginning) => appendFile(path, `${body}\n${beginning}`),
      close: async () => {},
    };
  },
} satisfies ReceiverContract;
