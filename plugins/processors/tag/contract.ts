import type { ProcessorContract } from '../../../test/contract/contract.ts';

export default {
  optionSets: [{}, { host: 'h', datacenter: 'd', tags: { a: '1' }, override: true }],
} satisfies ProcessorContract;
