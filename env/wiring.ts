/**
 * Who reaches whom, and by which variable is it told?
 *
 * Each service has a Redis of its own and visits those of its peers with an account of its own (see `redis/redis.sh`).
 * `docker-compose.yml` and the `.env` files beside this one say the same for containers; a test keeps them in step.
 */
import { SERVICES, type Service } from '../shared/contract/services.ts'

/** Whose Redis a service visits, besides its own. */
export const VISITS: Record<Service, readonly Service[]> = {
  ids: ['order', 'payment', 'stock'],
  order: ['payment', 'stock'],
  payment: ['order', 'stock'],
  stock: ['order', 'payment'],
}

/** Which services a process asks by HTTP. */
export const ASKS: Record<Service | 'gateway', readonly Service[]> = {
  ids: [],
  order: ['ids', 'payment', 'stock'],
  payment: ['ids'],
  stock: ['ids'],
  gateway: SERVICES,
}

/** The passwords of each Redis: its owner's, and its visitors' by their names. */
export type Passwords = Record<Service, { readonly owner: string } & { readonly [visitor in Service]?: string }>

const visitorsOf = (owner: Service): Service[] => SERVICES.filter((service) => VISITS[service].includes(owner))

/** A password from `make` for every account there is. */
export const passwordsOf = (make: () => string): Passwords => {
  const ofRedis = (owner: Service) => ({
    owner: make(),
    ...Object.fromEntries(visitorsOf(owner).map((visitor) => [visitor, make()])),
  })
  return { ids: ofRedis('ids'), order: ofRedis('order'), payment: ofRedis('payment'), stock: ofRedis('stock') }
}

const PASSWORD = /^[\w-]+$/

/** Whether there is a password for every account, of letters that `redis/redis.sh` takes. */
export const isPasswords = (kept: unknown): kept is Passwords => {
  if (typeof kept !== 'object' || kept === null) return false
  const found = kept as Partial<Record<Service, Readonly<Record<string, unknown>> | null>>
  return SERVICES.every((owner) =>
    ['owner', ...visitorsOf(owner)].every((account) => PASSWORD.test(String(found[owner]?.[account] ?? ''))),
  )
}

/** What `redis/redis.sh` wants to know. */
export const redisVariables = (owner: Service, passwords: Passwords): Record<string, string> => ({
  REDIS_PASSWORD: passwords[owner].owner,
  ...Object.fromEntries(
    visitorsOf(owner).map((visitor) => [`VISITOR_${visitor.toUpperCase()}_PASSWORD`, passwords[owner][visitor] ?? '']),
  ),
})

/** The address of a Redis for one of its users. */
export const redisUrl = (owner: Service, user: Service, port: number, passwords: Passwords): string =>
  owner === user
    ? `redis://:${passwords[owner].owner}@127.0.0.1:${port}`
    : `redis://${user}:${passwords[owner][user] ?? ''}@127.0.0.1:${port}`

/** The variable that holds the address of `owner`'s Redis in the environment of `user`. */
export const redisVariable = (owner: Service, user: Service): string =>
  owner === user ? 'REDIS_URL' : `${owner.toUpperCase()}_REDIS_URL`

/** The variable that holds the origins of a service's replicas. */
export const originsVariable = (service: Service): string => `${service.toUpperCase()}_URLS`
