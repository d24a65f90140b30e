import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExporterContract } from '../../../test/contract/contract.ts';
import { makeLineBatch } from '../../../test/helpers/line_batch.ts';

const contract: ExporterContract = {
  async open(directory) {
    const file = join(directory, 'contract.ndjson');
    return {
      options: { directory, sync: false },
      async stored() {
        if (!existsSync(file)) return [];
        const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
        return lines.map((line) => messageOf(JSON.parse(line)));
      },
      // A directory in the place of the file is what even root cannot write to.
      async fail() {
        const aside = `${file}.aside`;
        const existed = existsSync(file);
        if (existed) await rename(file, aside);
        await mkdir(file);
        return async () => {
          await rmdir(file);
          if (existed) await rename(aside, file);
        };
      },
      refusable: () => ({ batch: makeLineBatch(['{}', '{}'], { format: '../contract' }), refused: 2 }),
      close: async () => {},
    };
  },
};

function messageOf(line: { readonly contract?: { readonly message?: unknown } }): string {
  return String(line.contract?.message);
}

export default contract;
