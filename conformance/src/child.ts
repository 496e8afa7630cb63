/** Runs the cases that it is sent, one after the other, in a process of its own: see `pool.ts`. */
import type { Case } from './cases.js';
import type { Tolerance } from './numbers.js';
import { runCase } from './run-case.js';

interface Order {
  case: Case;
  workers: number;
  tolerance: Tolerance;
}

process.on('message', (order: Order) => {
  void runCase(order.case, order.workers, order.tolerance).then((outcome) => {
    process.send!(outcome);
  });
});
