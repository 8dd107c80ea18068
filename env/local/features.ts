/**
 * Of which service is a feature?
 *
 * `FEATURES_OFF` is a setting of each service, which knows its own features alone. Whoever starts a whole shop says it once for all.
 */

import { readFileSync } from 'node:fs'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { ConfigError } from '../../shared/process/config.ts'

const CONTRACT = new URL('../../gateway/docs/openapi.json', import.meta.url)

type Operation = { readonly operationId: string; readonly tags: readonly string[]; readonly 'x-scope': string }
type Contract = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }

/** Each service by the names of its features. */
const ownersOf = ({ paths }: Contract): ReadonlyMap<string, Service> =>
  new Map(
    Object.values(paths).flatMap((operations) =>
      Object.values(operations).flatMap(({ operationId, tags = [], 'x-scope': scope }) => {
        const service = SERVICES.find((one) => tags.includes(one))
        return service === undefined || scope === 'operator' ? [] : [[operationId, service] as const]
      }),
    ),
  )

/**
 * What each service is told of the features that are named.
 * @throws ConfigError if one of them is none
 */
export const featuresByService = (named: string): Readonly<Record<Service, string>> => {
  const names = named.split(',').map((name) => name.trim())
  const owners = ownersOf(JSON.parse(readFileSync(CONTRACT, 'utf8')) as Contract)
  const unknown = names.filter((name) => !owners.has(name))
  if (unknown.length > 0)
    throw new ConfigError(`FEATURES_OFF names what is no feature of the shop: ${unknown.join(', ')}`)
  const of = (service: Service): string => names.filter((name) => owners.get(name) === service).join(',')
  return { ids: of('ids'), order: of('order'), payment: of('payment'), stock: of('stock') }
}
