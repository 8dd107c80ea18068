/** Runs crash cases, several shops at a time, and keeps account of how they were survived. */
import { type Case, type Kind, kindOf, nameOf, openScene, type Scene, SETTLE_MS, survive } from './crash-cases.ts'

export type Result = { readonly one: Case; readonly ms: number; readonly problems: readonly string[] }

const sameKind = (a: Kind, b: Kind): boolean =>
  a.isLate === b.isLate && a.isLossy === b.isLossy && a.isSurveyed === b.isSurveyed

const explain = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Runs one case. A shop in which one failed is closed, so that the next begins in a sound one. */
const runOne = async (scene: Scene, one: Case): Promise<Result> => {
  try {
    const { ms, problems } = await survive(scene, one)
    return { one, ms, problems }
  } catch (error) {
    return { one, ms: Number.NaN, problems: [explain(error)] }
  }
}

/** Takes the cases of one kind, again and again, until there are none of any kind. */
const work = async (left: Case[], busy: Kind[], onResult: (result: Result) => void): Promise<void> => {
  while (left.length > 0) {
    const waitingFor = (one: Case): number =>
      left.filter((other) => sameKind(kindOf(other), kindOf(one))).length /
      (1 + busy.filter((kind) => sameKind(kind, kindOf(one))).length)
    const kind = kindOf(left.reduce((most, one) => (waitingFor(one) > waitingFor(most) ? one : most)))
    busy.push(kind)
    const scene = await openScene(kind)
    try {
      for (;;) {
        const index = left.findIndex((one) => sameKind(kindOf(one), kind))
        const [one] = index < 0 ? [] : left.splice(index, 1)
        if (one === undefined) break
        const result = await runOne(scene, one)
        onResult(result)
        if (result.problems.length > 0 || scene.isWorn()) break
      }
    } finally {
      busy.splice(busy.indexOf(kind), 1)
      await scene.close()
    }
  }
}

const isSlow = ({ ms, problems }: Result): boolean => problems.length === 0 && ms > SETTLE_MS
/** The point was not passed, because the machine was slow or what passes it comes by chance. */
const isUnmet = ({ problems }: Result): boolean => problems.some((problem) => problem.endsWith(' is hit'))
/** What was too slow may have met a busy machine, so it is repeated, alone, before it counts. */
const REPEATS = 2

/** Runs all cases in up to so many shops at once. */
export const runCases = async (
  cases: readonly Case[],
  shops: number,
  onResult: (result: Result) => void = () => undefined,
): Promise<readonly Result[]> => {
  const results = new Map<Case, Result>()
  const take = (result: Result): void => {
    const known = results.get(result.one)
    const wasBetter = known?.problems.length === 0 && result.problems.length === 0 && known.ms < result.ms
    if (!wasBetter) results.set(result.one, result)
    onResult(result)
  }
  const run = async (left: Case[], width: number): Promise<void> => {
    const busy: Kind[] = []
    await Promise.all(Array.from({ length: Math.min(width, left.length) }, () => work(left, busy, take)))
  }
  const slow = (): Case[] => [...results.values()].filter((one) => isSlow(one) || isUnmet(one)).map(({ one }) => one)
  await run([...cases], shops)
  for (let repeat = 0; repeat < REPEATS && slow().length > 0; repeat += 1) await run(slow(), 1)
  return [...results.values()].map((result) =>
    isSlow(result) ? { ...result, problems: [`settled only ${Math.round(result.ms)} ms after the return`] } : result,
  )
}

const median = (sorted: readonly number[]): number => sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN

/** How many points and cases there were, by the fault, with the median and the worst recovery. */
export const tableOf = (results: readonly Result[]): string => {
  const row = (what: string, some: readonly Result[]): string => {
    const times = some
      .map(({ ms }) => ms)
      .filter((ms) => !Number.isNaN(ms))
      .sort((a, b) => a - b)
    const points = new Set(some.map(({ one }) => one.point)).size
    const failed = some.filter(({ problems }) => problems.length > 0).length
    const seconds = (ms: number | undefined): string => ((ms ?? Number.NaN) / 1_000).toFixed(2)
    return `| ${what} | ${points} | ${some.length} | ${seconds(median(times))} | ${seconds(times.at(-1))} | ${failed} |`
  }
  const faults = [...new Set(results.map(({ one }) => one.fault))]
  return [
    '| fault | points | cases | median s | worst s | failures |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...faults.map((fault) =>
      row(
        fault,
        results.filter(({ one }) => one.fault === fault),
      ),
    ),
    row('all', results),
  ].join('\n')
}

/** What went wrong, each with the command that does it again. */
export const failuresOf = (results: readonly Result[]): readonly string[] =>
  results
    .filter(({ problems }) => problems.length > 0)
    .map(
      ({ one, problems }) =>
        `CRASHES='^${nameOf(one)}$' npx ava --timeout=5m test/faults/crash-points.e2e.test.ts # ${problems.slice(0, 3).join('; ')}`,
    )
