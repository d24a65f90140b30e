import { test } from 'tap';
import { type Claim, SeenRecords } from './seen_records.ts';

const MAX_CLAIMS = 262_144;
const MAX_CLAIMS_OF_EPOCH = 16_384;

const events = { holeOpened(): void {}, holeFilled(): void {}, epochForgotten(): void {} };
const carrier = { follow(): void {} };

function open() {
  const seen = new SeenRecords({ maxRecords: 1_000_000, maxEpochs: 100, events });
  const claim = (epoch: string, number: number): Claim | undefined =>
    seen.claim(seen.epoch(epoch, 'web-1', undefined), number, number, carrier);
  return { seen, claim };
}

void test('a claim that has ended makes room for another one', (t) => {
  const { seen, claim } = open();
  for (let number = 0; number < MAX_CLAIMS + 10; number++) {
    const claimed = claim('e', number);
    if (claimed === undefined) throw new Error(`claim ${number}`);
    seen.settle(claimed, true);
  }
  t.end();
});

void test('claims are bounded for each epoch and in all, and what is not claimed is not taken for known', (t) => {
  const { seen, claim } = open();
  const open1 = Array.from({ length: MAX_CLAIMS_OF_EPOCH }, (_, number) => claim('0', number));
  t.ok(open1.at(-1));
  t.equal(claim('0', MAX_CLAIMS_OF_EPOCH), undefined);
  t.equal(seen.epoch('0', 'web-1', undefined).numbers.nextFrom(MAX_CLAIMS_OF_EPOCH), Infinity);
  for (let epoch = 1; epoch < MAX_CLAIMS / MAX_CLAIMS_OF_EPOCH; epoch++) {
    for (let number = 0; number < MAX_CLAIMS_OF_EPOCH; number++) claim(`${epoch}`, number);
  }
  t.equal(claim('another', 1), undefined);
  seen.settle(open1[0]!, true); // there is one
  t.ok(claim('another', 1));
  t.end();
});

void test('what carries a number is known until it has ended', (t) => {
  const { seen, claim } = open();
  const epoch = seen.epoch('e', 'web-1', undefined);
  const [, second] = [1, 2, 3].map((number) => claim('e', number));
  seen.settle(second!, true); // there are three
  t.same(
    [1, 2, 3, 4].map((number) => epoch.carrierOf(number)),
    [carrier, undefined, carrier, undefined],
  );
  t.end();
});
