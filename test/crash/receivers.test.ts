/**
 * Each receiver in turn is killed, frozen, swallowed up and cut off under load, in ways that its agent can see and in ways that it
 * cannot. Whatever it is: nothing is lost, the other receiver has its first record within four seconds, and gets its own meanwhile.
 */
import { type Test, t as root, test } from 'tap';
import { startReceiver } from '../helpers/agents.ts';
import { InPath } from '../helpers/in_path.ts';
import { ledgerOf, watchUntil } from '../helpers/ledgers.ts';
import { LineWriter } from '../helpers/line_writer.ts';
import { NetworkNamespace, whyNoNetworkNamespace } from '../helpers/network_namespace.ts';
import { waitFor } from '../helpers/wait_for.ts';
import {
  deliveredBy,
  hasStoredFor,
  measureLag,
  type Name,
  NAMES,
  otherThan,
  type Site,
  type SiteOptions,
  startSite,
  stopSite,
  storedAt,
  unackedBytes,
} from './site.ts';

const LINES_PER_SECOND = 5000;
const MIN_UNACKED_BYTES = 100_000;
const NOTICE_MS = 4000;
const DEADLINE_MS = 30_000;

/** Longer than a busy machine needs. */
root.setTimeout(300_000);

interface Fault {
  readonly options: SiteOptions;
  strike(t: Test, site: Site, victim: Name): Promise<void> | void;
  heal(t: Test, site: Site, victim: Name): Promise<void> | void;
}

/** Its agent hears of it from the kernel, at once. It dies with records that it was sent and has not acked. */
function killed(): Fault {
  return {
    options: {},
    async strike(_t, site, victim) {
      const { process } = site.receivers[victim];
      process.signal('SIGSTOP');
      await waitFor(async () => (await unackedBytes(site, victim)) > MIN_UNACKED_BYTES, { what: 'records on their way' });
      await process.end('SIGKILL');
    },
    async heal(t, { receivers }, victim) {
      receivers[victim] = await startReceiver(t, receivers[victim]);
    },
  };
}

/** Its kernel goes on and takes bytes. */
function frozen(): Fault {
  return {
    options: {},
    strike: (_t, { receivers }, victim) => receivers[victim].process.signal('SIGSTOP'),
    heal: (_t, { receivers }, victim) => receivers[victim].process.signal('SIGCONT'),
  };
}

/** Something in the path takes connections and bytes, and passes nothing on. */
function swallowed(t: Test): Fault {
  const proxies = new Map<string, InPath>();
  return {
    options: {
      async endpointOf({ name, port }) {
        const proxy = await InPath.start(t, port);
        proxies.set(name, proxy);
        return { port: proxy.port };
      },
    },
    strike: (_t, _site, victim) => proxies.get(victim)?.swallow(),
    heal: (_t, _site, victim) => proxies.get(victim)?.heal(),
  };
}

/** Packets are dropped, both ways. */
async function cutOff(t: Test): Promise<Fault> {
  const [a, b] = [await NetworkNamespace.make(t), await NetworkNamespace.make(t)];
  const namespaces = { 'log-a': a, 'log-b': b };
  return {
    options: { places: { 'log-a': a.place, 'log-b': b.place } },
    strike: (_t, _site, victim) => namespaces[victim].cutOff(),
    heal: (_t, _site, victim) => namespaces[victim].heal(),
  };
}

async function tryOnEach(t: Test, fault: Fault): Promise<void> {
  const site = await startSite(t, fault.options);
  const { receivers } = site;
  const writer = new LineWriter(t, site.path, { linesPerSecond: LINES_PER_SECOND });
  const watch = (others: Name[], what: string, condition: () => boolean | Promise<boolean>) =>
    watchUntil([site.agent, ...others.map((name) => receivers[name])], what, condition);

  for (const victim of NAMES) {
    const other = otherThan(victim);
    const growsBy = async (records: number, destination: Name) => {
      const before = await deliveredBy(site, destination, 'direct');
      return async () => (await deliveredBy(site, destination, 'direct')) > before + records;
    };
    await watch([...NAMES], `records at ${victim}`, await growsBy(LINES_PER_SECOND / 2, victim));
    const lagMs = measureLag();
    const struckMs = performance.now();
    await fault.strike(t, site, victim);
    await waitFor(() => hasStoredFor(victim, receivers[other]), {
      what: `records for ${victim} at ${other}`,
      deadlineMs: DEADLINE_MS,
    });
    const noticedMs = performance.now() - struckMs;
    const noiseMs = lagMs();
    t.comment(`${victim}: first record at ${other} after ${Math.round(noticedMs)} ms, lag ${Math.round(noiseMs)} ms`);
    t.ok(noticedMs < NOTICE_MS + noiseMs, `${other} has the first record for ${victim} within ${NOTICE_MS} ms`);
    await watch([other], `${other} to get its own records`, await growsBy(LINES_PER_SECOND / 2, other));
    await fault.heal(t, site, victim);
    await watch([...NAMES], `records at ${victim} again`, await growsBy(LINES_PER_SECOND / 2, victim));
  }

  await writer.stop();
  const { written } = writer;
  await watch([...NAMES], 'everything to be delivered', async () => (await ledgerOf(site.agent)).delivered === written);
  await stopSite(t, site);
  for (const [destination, stored] of Object.entries(storedAt(t, site))) {
    t.comment(`${destination}: ${written} lines, ${stored.duplicates} of them twice`);
    t.same(stored.missing(written), [], `${destination} has every line`);
    t.equal(stored.ids.size, written, 'and none that was not written');
    t.same(stored.tails, []);
  }
}

void test('receivers that are killed lose nothing', (t) => tryOnEach(t, killed()));

void test('receivers that are frozen lose nothing', (t) => tryOnEach(t, frozen()));

void test('receivers whose bytes are swallowed on the way lose nothing', (t) => tryOnEach(t, swallowed(t)));

void test('receivers that are cut off by dropped packets lose nothing', { skip: whyNoNetworkNamespace() ?? false }, async (t) =>
  tryOnEach(t, await cutOff(t)),
);
