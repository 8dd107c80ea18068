/**
 * Is the whole shop set right?
 *
 * Each process says it of itself, but only once it starts, after much else. Who starts them all learns it before, in one sentence.
 */

import { checkEnvironment as checkGateway, settings as gateway } from '../../gateway/settings.ts'
import { settings as ids } from '../../ids/settings.ts'
import { settings as order } from '../../order/settings.ts'
import { settings as payment } from '../../payment/settings.ts'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { readConfig, type Setting } from '../../shared/process/config.ts'
import { processSettings } from '../../shared/process/lifecycle.ts'
import { settings as stock } from '../../stock/settings.ts'
import { ASKS, originsVariable, redisVariable, VISITS } from '../wiring.ts'
import { featuresByService } from './features.ts'

type Role = Service | 'gateway'
const ROLES: readonly Role[] = ['gateway', ...SERVICES]
const TABLES: Readonly<Record<Role, Readonly<Record<string, Setting<unknown>>>>> = {
  gateway,
  ids,
  order,
  payment,
  stock,
}

/** The variables that the start itself gives to a process, whatever it finds in them. */
const givenTo = (role: Role): readonly string[] => {
  const origins = ASKS[role].map(originsVariable)
  if (role === 'gateway') return origins
  return ['PORT', 'HOST', ...origins, ...[role, ...VISITS[role]].map((owner) => redisVariable(owner, role))]
}

const wantedOf = (role: Role): readonly (readonly [name: string, setting: Setting<unknown>])[] =>
  Object.entries(TABLES[role])
    .filter(([, { variable }]) => !givenTo(role).includes(variable))
    .map(([name, setting]) => [`${role} ${name}`, setting])

/**
 * @param environment what all processes are started with, and where the gateway is to listen
 * @throws ConfigError with everything that is wrong
 */
export const checkEnvironment = (environment: Readonly<Record<string, string | undefined>>): void => {
  if (environment.FEATURES_OFF) featuresByService(environment.FEATURES_OFF)
  readConfig(environment, Object.fromEntries(ROLES.flatMap(wantedOf)), processSettings)
  checkGateway(environment)
}
