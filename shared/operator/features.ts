/**
 * Which features of a service are switched off?
 *
 * Each route that is not for operators is a feature, by the name of its row. An operator may switch one off: its requests are then
 * refused before anything of them is read. That is recorded in the service's own Redis, with an entry in its log, and holds until it
 * is switched on again, whatever starts anew meanwhile.
 *
 * A request asks no Redis for it: each replica reads once a second what is off, and at once when it has itself switched something.
 * One that cannot read goes by what it has read last; before it has read, it is not ready.
 */
import { UnavailableError } from '../errors.ts'
import type { Check } from '../http/readiness.ts'
import type { Route } from '../http/route.ts'
import type { Log } from '../log/log.ts'
import type { Identifiers } from '../log/log-id.ts'
import { runner } from '../log/runner.ts'
import { setFeature } from '../log/shared-commands.ts'
import type { Step } from '../process/step.ts'
import { list, text } from '../redis/reply.ts'

export type Feature = { readonly name: string; readonly route: string; readonly on: boolean }

export type Features = {
  readonly isOff: (feature: string) => boolean
  /** All of them, as this replica knows them. */
  readonly list: () => readonly Feature[]
  /** @param doneBy who had it done, if that is known. @throws UnavailableError */
  readonly set: (feature: string, on: boolean, doneBy?: string) => Promise<void>
  /** Reads what is off, if that can be read now. */
  readonly refresh: () => Promise<void>
  readonly check: () => Check
}

export type FeaturesOptions = {
  readonly log: Log
  readonly routes: readonly Route[]
  readonly step: Step
  readonly identifiers: Pick<Identifiers, 'next'>
}

export const openFeatures = ({ log, routes, step, identifiers }: FeaturesOptions): Features => {
  const readOff = log.query('features', list(text))
  const { runOnce } = runner(log)
  let off: ReadonlySet<string> | undefined

  const isOff = (feature: string): boolean => off?.has(feature) === true

  const refresh = async (): Promise<void> => {
    try {
      off = new Set((await step('features', () => readOff(''))).found)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
    }
  }

  return {
    isOff,
    list: () =>
      routes.flatMap(({ feature, method, path }) =>
        feature === undefined ? [] : [{ name: feature, route: `${method} ${path}`, on: !isOff(feature) }],
      ),
    set: async (feature, on, doneBy) => {
      const args = { log_id: identifiers.next(), feature, on: on ? 'yes' : 'no' } as const
      await runOnce(setFeature, args, { idempotencyKey: undefined, fingerprint: '', doneBy })
      await refresh()
    },
    refresh,
    check: () => ({
      name: 'features',
      grade: 'blocks',
      wrong: off === undefined ? 'it is not known yet which features are off' : undefined,
    }),
  }
}
