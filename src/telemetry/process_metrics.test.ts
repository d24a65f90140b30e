import { test } from 'tap';
import { MetricsRegistry } from './metrics.ts';
import { addProcessMetrics, parseMaxOpenFiles } from './process_metrics.ts';

void test('the process is seen under the names that dashboards know', async (t) => {
  const metrics = new MetricsRegistry();
  addProcessMetrics(metrics, '1.2.3');
  const text = await metrics.text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  t.match(text, `sluice_build_info{version="1.2.3",node="${process.versions.node}"} 1`);
  t.ok(Math.abs(value('process_start_time_seconds') - (Date.now() / 1000 - process.uptime())) < 5);
  t.ok(value('process_cpu_seconds_total') > 0);
  t.ok(value('process_resident_memory_bytes') > 1e6);
  t.ok(value('process_open_fds') > 2);
  t.ok(value('process_max_fds') >= value('process_open_fds'));
  t.ok(value('nodejs_heap_size_used_bytes') > 1e6);
});

void test('the limit of open files is the soft one, and absent where there is none', async (t) => {
  const limits = 'Limit                     Soft Limit           Hard Limit           Units     \n';
  t.equal(parseMaxOpenFiles(`${limits}Max open files            1024                 524288               files     \n`), 1024);
  t.equal(
    parseMaxOpenFiles(`${limits}Max open files            unlimited            unlimited            files     \n`),
    undefined,
  );
  t.equal(parseMaxOpenFiles(''), undefined);
});
