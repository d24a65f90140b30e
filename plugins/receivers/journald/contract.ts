import { join } from 'node:path';
import type { ReceiverContract } from '../../../test/contract/contract.ts';
import { JournalWriter } from './testdata/journal_writer.ts';

export default {
  async open(directory) {
    const journal = new JournalWriter();
    const save = (): void => journal.save(join(directory, 'system.journal'));
    save();
    return {
      options: { directory, start_at: 'beginning', poll_interval: '10ms' },
      write: async (bodies) => {
        journal.append(...bodies);
        save();
      },
      close: async () => {},
    };
  },
} satisfies ReceiverContract;
