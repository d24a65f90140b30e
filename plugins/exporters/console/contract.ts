import { Writable } from 'node:stream';
import type { ExporterContract } from '../../../test/contract/contract.ts';
import { ConsoleExporter } from './exporter.ts';

const contract: ExporterContract = {
  async open() {
    let text = '';
    const stream = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        text += chunk.toString();
        callback();
      },
    });
    // A stream that has failed once fails for good, so there is no `fail` that could be repaired.
    return {
      options: {},
      create: (context) => new ConsoleExporter(stream, context),
      stored: async () =>
        text
          .split('\n')
          .slice(0, -1)
          .map((line) => messageOf(JSON.parse(line))),
      close: async () => {},
    };
  },
};

function messageOf(line: { readonly contract?: { readonly message?: unknown } }): string {
  return String(line.contract?.message);
}

export default contract;
