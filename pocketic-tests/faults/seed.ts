/** One seed: callers beside faults, then what must hold when the faults are undone. */
import { casesOf, type Case } from './cases.js';
import { coordinatorCall, decodeMetrics } from './coordinator-calls.js';
import { pause, query, update, type Program } from './driver.js';
import { kinds, type FaultContext, type Kind } from './kinds.js';
import * as management from './management.js';
import { noiseLevels, noiseModule } from './noise.js';
import { Random } from './random.js';
import { newTraffic, release, request, type Traffic } from './requests.js';
import { shapes, type Shape } from './shapes.js';
import { World, controller } from './world.js';

export interface SeedReport {
  seed: number;
  kind: string;
  shape: string;
  /** Requests by what came of them: `right`, `refused CODE`, `failed CODE`, `wrong`, `hanging`. */
  counts: Record<string, number>;
  accepted: number;
  /** Accepted requests that came to nothing though nothing was done that may lose them. */
  lost: number;
  rounds: number;
  doubled: number;
  /** What must not be; none where the seed passes. */
  problems: string[];
  /** What the faults did. */
  events: string[];
}

/** Kind and shape of a seed: all pairs come within as many seeds as there are pairs. */
export function meaningOf(seed: number): { kind: Kind; shape: Shape } {
  const pair = seed % (kinds.length * shapes.length);
  return { shape: shapes[pair % shapes.length]!, kind: kinds[Math.floor(pair / shapes.length)]! };
}

const callers = 8;
/** Rounds in which all callers are done, however faults delay them. */
const ordinaryRounds = 160;
/** After that time passes quickly: what a stage lost is noticed, and told. */
const lateRounds = 60;
const lateMs = 20_000;
/** When all is over, an hour and more passes; time goes by quickly. */
const restRounds = 14;
const restMs = 330_000;
/** Requests that must be right when all is over. */
const requestsAfter = 4;

/** Runs a seed on a network of its own. */
export async function runSeed(url: string, seed: number): Promise<SeedReport> {
  const { kind, shape } = meaningOf(seed);
  const cases = await casesOf(url, shape);
  const world = await World.create(url, shape);
  try {
    return await new SeedRun(seed, kind, world, cases).run();
  } finally {
    await world.close();
  }
}

class SeedRun {
  private readonly traffic: Traffic = newTraffic();
  private readonly problems: string[] = [];
  private readonly events: string[] = [];
  private lost = 0;

  constructor(
    private readonly seed: number,
    private readonly kind: Kind,
    private readonly world: World,
    private readonly cases: readonly Case[],
  ) {}

  async run(): Promise<SeedReport> {
    const { world, traffic, seed } = this;
    const { driver } = world;
    const random = new Random(seed);
    // A first request makes all that is made once.
    const first = newTraffic();
    await driver.finish(request(world, first, random, 0, this.cases[0]!));
    await this.giveBack([first], 2);
    const before = await this.heaps();
    await driver.finish(world.setNoise(random.pick(noiseLevels), seed));
    const begin = world.round;
    this.addCallers(random);
    driver.add(this.faults(random));
    await driver.run(ordinaryRounds);
    const rounds = world.round - begin;
    await driver.finish(world.setNoise([0, 0], 1));
    await driver.run(lateRounds, lateMs);
    driver.drop();
    await driver.finish(this.repair());
    await this.judgeAfter(before);
    return {
      seed,
      kind: this.kind.name,
      shape: world.shape.name,
      counts: this.counts(),
      accepted: traffic.asked.filter(({ isAccepted }) => isAccepted).length,
      lost: this.lost,
      rounds,
      doubled: traffic.doubled.length,
      problems: this.problems,
      events: this.events,
    };
  }

  /** Each case is asked once, so that an answer tells whose it is. */
  private addCallers(random: Random): void {
    const { world, traffic, cases } = this;
    for (let caller = 0; caller < callers; caller++) {
      const own = new Random(random.below(2 ** 31));
      const mine = cases.filter(({ index }) => index % callers === caller);
      const lanes = own.chance(0.5) && mine.length > 1 ? 2 : 1;
      for (let lane = 0; lane < lanes; lane++) {
        const list = mine.filter((_, at) => at % lanes === lane);
        world.driver.add(
          (function* (): Program {
            for (const one of list) {
              yield* pause(own.below(8));
              yield* request(world, traffic, own, caller, one);
            }
          })(),
        );
      }
    }
  }

  private *faults(random: Random): Program {
    const { world, events, traffic } = this;
    const context: FaultContext = {
      world,
      random: new Random(random.below(2 ** 31)),
      note: (text) => events.push(`round ${world.round}: ${text}`),
      isReset: () => {
        traffic.isReset = true;
      },
    };
    for (let count = 1 + random.below(3); count > 0; count--) {
      yield* pause(1 + context.random.below(8));
      yield* this.kind.run(context);
    }
  }

  /** Undoes what faults left that did not come to their end. */
  private *repair(): Program {
    const { world } = this;
    for (const canister of [world.coordinator, ...world.workers]) {
      yield* update(management.start(canister), controller);
    }
    for (const worker of world.workers) {
      if (!(yield* world.isReady(worker))) yield* world.rebuild(worker);
    }
  }

  private async judgeAfter(before: readonly number[]): Promise<void> {
    const { world, traffic, problems, kind } = this;
    const { driver } = world;
    for (const asked of traffic.asked) {
      const { outcome, code, detail, isAccepted, caller } = asked;
      const which = `case ${asked.case} of caller ${caller} (${asked.method})`;
      if (outcome === undefined) problems.push(`hanging: ${which}, accepted: ${isAccepted}`);
      if (outcome === 'wrong') problems.push(`wrong: ${detail}`);
      const allowed = outcome === 'failed' ? kind.failed : kind.refused;
      if ((outcome === 'failed' || outcome === 'refused') && !allowed.includes(code!)) {
        problems.push(`${outcome}: ${which}: ${code}: ${detail}`);
        if (outcome === 'failed') this.lost++;
      }
    }
    if (traffic.doubled.length > 0) problems.push(`doubled tickets: ${traffic.doubled.join()}`);
    // A number that the coordinator has forgotten with its state is a new one.
    if (traffic.ranTwice.length > 0 && !traffic.isReset) {
      problems.push(`numbers that ran twice: ${traffic.ranTwice.join()}`);
    }
    problems.push(...this.events.filter((text) => text.includes('TRAP')));

    const random = new Random(this.seed + 99);
    const later = newTraffic();
    for (let count = 0; count < requestsAfter; count++) {
      const one = random.pick(this.cases);
      const asked = await driver.finish(request(world, later, random, 3, one));
      if (asked?.outcome === 'right') continue;
      problems.push(`afterwards: ${asked?.outcome ?? 'hanging'} ${asked?.detail ?? ''}`);
    }
    if (problems.length > 0) return;
    // Releases are told to workers, and what no ticket stands for is found and released.
    await this.giveBack([traffic, later], restRounds);
    await this.judgeRest(before);
  }

  /** Releases what callers kept; those who lost it are told so. */
  private async giveBack(all: readonly Traffic[], rounds: number): Promise<void> {
    const { world } = this;
    for (const traffic of all) {
      // With an earlier state come back tickets that were released since.
      const { tickets, given, isReset } = traffic;
      for (const ticket of (isReset ? given : tickets).keys()) {
        world.driver.add(release(world, traffic, ticket));
      }
    }
    await world.driver.run(ordinaryRounds);
    await world.driver.finish(pause(rounds), rounds + 1, restMs);
  }

  private async judgeRest(before: readonly number[]): Promise<void> {
    const { world, problems } = this;
    const { driver } = world;
    for (const worker of world.workers) {
      const status = await driver.finish(world.statusOf(worker));
      if (status?.waiting !== 0) problems.push(`${String(status?.waiting)} wait at ${worker}`);
    }
    const after = await this.heaps();
    if (after.join() !== before.join()) {
      problems.push(`heaps in use are ${after.join()} and were ${before.join()}`);
    }
    const call = coordinatorCall(world.coordinator, 'metrics', []);
    const metrics = await driver.finish(query(call, controller));
    const inFlight = metrics?.error === undefined ? decodeMetrics(metrics!.reply).in_flight : -1;
    if (inFlight !== 0) problems.push(`${inFlight} requests in flight`);
    const { coordinator } = world;
    // What refuses an upgrade is the module that goes. The one that comes is small: its start is not judged here.
    const upgrade = management.install(coordinator, await noiseModule(), 'upgrade');
    // A snapshot may hold open calls, which only a canister that is stopped surely does not have.
    const isStopped = this.traffic.isReset;
    if (isStopped) await driver.finish(update(management.stop(coordinator), controller));
    const upgraded = await driver.finish(update(upgrade, controller));
    if (upgraded?.error !== undefined) problems.push(`the coordinator: ${upgraded.error}`);
  }

  private async heaps(): Promise<number[]> {
    const { world } = this;
    const used: number[] = [];
    for (const worker of world.workers) {
      used.push((await world.driver.finish(world.statusOf(worker)))?.heapUsedBytes ?? -1);
    }
    return used;
  }

  private counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { outcome, code } of this.traffic.asked) {
      const key =
        outcome === undefined ? 'hanging' : outcome === 'right' ? outcome : `${outcome} ${code}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  }
}
