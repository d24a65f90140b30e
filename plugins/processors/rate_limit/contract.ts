import type { ProcessorContract } from '../../../test/contract/contract.ts';

export default {
  optionSets: [
    { records_per_second: 1 },
    { records_per_second: 3, burst: 5, max_keys: 2, summary_interval: '1s', overrides: { a: { burst: 1 } } },
    { records_per_second: 1e9 },
  ],
} satisfies ProcessorContract;
