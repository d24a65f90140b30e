import { test } from 'tap';
import { BufferBudget } from './buffer_budget.ts';

void test('who asks for more than there is is told so, and nobody else', (t) => {
  const budget = new BufferBudget(100);
  t.ok(budget.change(0, 60));
  t.ok(budget.change(0, 40));
  t.notOk(budget.change(0, 1));
  t.ok(budget.change(60, 60), 'what is kept is kept');
  t.ok(budget.change(60, 50), 'what is given back is welcome, even where there is too much still');
  t.equal(budget.usedBytes, 91);
  t.ok(budget.change(1, 0));
  t.ok(budget.change(50, 60));
  t.equal(budget.usedBytes, 100);
  t.end();
});
