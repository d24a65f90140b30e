// stored.mjs MARK yes|no: ends with 0 once every record that .ci/run has written under MARK is complete at both receivers.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [mark, hasJournal] = process.argv.slice(2);
const sources = ['pipe', 'socket', ...(hasJournal === 'yes' ? ['journal'] : [])];
const SHAPE = {
  id: /^[0-9a-f]+(?:\.[0-9a-f]{8})?-\d+$/,
  timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  host: /./,
  datacenter: /./,
  service: /./,
};

/** The wrappers of a receiver's records, of all topics. */
function recordsOf(receiver) {
  const directory = join('var', receiver, 'topics');
  const files = readdirSync(directory).filter((name) => name.endsWith('.ndjson'));
  const lines = files.flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1));
  return lines.map((line) => JSON.parse(line)).map((record) => record[record.format]);
}

const problems = [];
for (const receiver of ['log-a', 'log-b']) {
  const records = recordsOf(receiver);
  for (const source of sources) {
    const record = records.find(({ message }) => message === `${mark} ${source}`);
    if (record === undefined) problems.push(`${receiver} does not have the record from the ${source}`);
    else {
      const bad = Object.entries(SHAPE).filter(([name, shape]) => !shape.test(record[name] ?? ''));
      problems.push(
        ...bad.map(([name]) => `${receiver}: the record from the ${source} has a bad ${name}: ${JSON.stringify(record)}`),
      );
    }
  }
}
console.log(problems.length === 0 ? `both receivers have the records from ${sources.join(', ')}` : problems.join('\n'));
process.exitCode = problems.length === 0 ? 0 : 1;
