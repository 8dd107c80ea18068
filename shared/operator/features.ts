/**
 * Which features of a service are switched off?
 *
 * Each route that is not for operators is a feature, by the name of its row. An operator may switch one off: its requests are then
 * refused before anything of them is read. That is recorded in the service's own Redis, with an entry in its log, and holds until it
 * is switched on again, whatever starts anew meanwhile.
 *
 * `FEATURES_OFF` says which are off as long as no operator has said otherwise: one that was switched on stays on, at the next
 * start as well, and one that was switched off stays off though it is named no more.
 *
 * A request asks no Redis for it: each replica reads once a second what is off, and at once when it has itself switched something.
 * One that cannot read goes by what it has read last; before it has read, it goes by `FEATURES_OFF`, and is not ready.
 */
import { UnavailableError } from '../errors.ts'
import type { Check } from '../http/readiness.ts'
import type { Route } from '../http/route.ts'
import type { Log } from '../log/log.ts'
import type { Identifiers } from '../log/log-id.ts'
import { runner } from '../log/runner.ts'
import { setFeature } from '../log/shared-commands.ts'
import { ConfigError } from '../process/config.ts'
import type { Step } from '../process/step.ts'
import { list, text } from '../redis/reply.ts'

/** What stands before the name of one that an operator has switched. */
const [ON, OFF] = ['on ', 'off ']

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
  /** Those that are off as long as no operator has switched them on; default: none. */
  readonly offAtFirst?: readonly string[]
}

/** @throws ConfigError if one of these names is that of no feature */
const refuseUnknown = (routes: readonly Route[], names: readonly string[]): void => {
  const known = new Set(routes.map(({ feature }) => feature))
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length > 0)
    throw new ConfigError(`FEATURES_OFF names what is no feature of this service: ${unknown.join(', ')}`)
}

/** @throws ConfigError if what is to be off at first is no feature */
export const openFeatures = ({ log, routes, step, identifiers, offAtFirst = [] }: FeaturesOptions): Features => {
  refuseUnknown(routes, offAtFirst)
  const readSet = log.query('features', list(text))
  const { runOnce } = runner(log)
  let off: ReadonlySet<string> | undefined

  const isOff = (feature: string): boolean => off?.has(feature) ?? offAtFirst.includes(feature)

  const refresh = async (): Promise<void> => {
    try {
      const set = (await step('features', () => readSet(''))).found
      const isSetOn = new Set(set.filter((one) => one.startsWith(ON)).map((one) => one.slice(ON.length)))
      off = new Set([
        ...set.filter((one) => one.startsWith(OFF)).map((one) => one.slice(OFF.length)),
        ...offAtFirst.filter((one) => !isSetOn.has(one)),
      ])
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
      const at_first = offAtFirst.includes(feature) ? 'no' : 'yes'
      const args = { log_id: identifiers.next(), feature, on: on ? 'yes' : 'no', at_first } as const
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
