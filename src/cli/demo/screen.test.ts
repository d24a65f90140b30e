import { test } from 'tap';
import { Screen } from './screen.ts';

class FakeOutput {
  readonly isTTY: boolean;
  readonly columns: number;
  text = '';

  constructor(isTTY: boolean, columns = 20) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }

  /** The lines that a terminal would show in the end. */
  get shown(): string[] {
    return this.text.split('\n').map((line) => line.split('\r\u001b[K').at(-1) ?? '');
  }
}

void test('on a terminal the line is redrawn in place, and what stays is printed above it', async (t) => {
  const out = new FakeOutput(true);
  const screen = new Screen(out);
  screen.update('in 1');
  screen.update('in 2');
  screen.say('log-a has ended');
  screen.update('in 3');
  t.same(out.shown, ['log-a has ended', 'in 3']);
});

void test('on a terminal the line never wraps', async (t) => {
  const out = new FakeOutput(true, 10);
  new Screen(out).update('0123456789abc');
  t.same(out.shown, ['012345678']);
  const unknown = new FakeOutput(true, 0);
  new Screen(unknown).update('x'.repeat(100));
  t.same(unknown.shown, ['x'.repeat(79)]);
});

void test('elsewhere each line that differs is printed, without control characters', async (t) => {
  const out = new FakeOutput(false);
  const screen = new Screen(out);
  screen.update('in 1');
  screen.update('in 1');
  screen.update('in 2');
  screen.say('log-a has ended');
  t.equal(out.text, 'in 1\nin 2\nlog-a has ended\n');
});
