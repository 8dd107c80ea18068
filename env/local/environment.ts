/** What is each process told? */
import type { Service } from '../../shared/contract/services.ts'
import { ASKS, originsVariable, type Passwords, redisUrl, redisVariable, VISITS } from '../wiring.ts'
import { featuresByService } from './features.ts'
import type { Plan } from './plan.ts'

/** One service's connection to a Redis or to a replica of another service, as it is put into its environment. */
export type Connection = { readonly from: string; readonly to: string; readonly url: string }

export type EnvironmentOptions = {
  /** Where the gateway listens, default 127.0.0.1. Services and Redis are reached on 127.0.0.1 only. */
  readonly host?: string
  /** More variables: for all processes, for one service or the gateway, or for one replica by its name. */
  readonly env?: { readonly [part: string]: Readonly<Record<string, string>> }
  /** May put something between a process and what it connects to, for instance a proxy that cuts. */
  readonly route?: (connection: Connection) => string | Promise<string>
}

export const LOOPBACK = '127.0.0.1'

export const originOf = (port: number): string => `http://127.0.0.1:${port}`

/** The variables of each process, besides those of the caller. @throws ConfigError if `FEATURES_OFF` names what is no feature */
export const createEnvironments = (options: EnvironmentOptions, plan: Plan, passwords: Passwords) => {
  const route = options.route ?? (({ url }: Connection) => url)

  const origins = async (from: string, role: Service | 'gateway'): Promise<[string, string][]> =>
    Promise.all(
      ASKS[role].map(async (service): Promise<[string, string]> => {
        const replicas = plan.replicas.filter((replica) => replica.service === service)
        const urls = replicas.map(({ name, port }) => route({ from, to: name, url: originOf(port) }))
        return [originsVariable(service), (await Promise.all(urls)).join(',')]
      }),
    )

  const redisUrls = async (from: string, user: Service): Promise<[string, string][]> =>
    Promise.all(
      [user, ...VISITS[user]].map(async (owner): Promise<[string, string]> => {
        const url = redisUrl(owner, user, plan.redisPorts[owner], passwords)
        return [redisVariable(owner, user), await route({ from, to: `${owner}-redis`, url })]
      }),
    )

  const named = process.env.FEATURES_OFF
  const off = named ? featuresByService(named) : undefined
  const own = (role: string, name: string) => ({ ...options.env?.all, ...options.env?.[role], ...options.env?.[name] })

  return {
    service: async (service: Service, name: string, port: number): Promise<NodeJS.ProcessEnv> => ({
      ...process.env,
      ...Object.fromEntries([...(await origins(name, service)), ...(await redisUrls(name, service))]),
      PORT: String(port),
      HOST: LOOPBACK,
      REPLICA: name,
      ...(off ? { FEATURES_OFF: off[service] } : {}),
      ...own(service, name),
    }),
    gateway: async (): Promise<NodeJS.ProcessEnv> => ({
      ...process.env,
      ...Object.fromEntries(await origins('gateway', 'gateway')),
      PORT: String(plan.gatewayPort),
      HOST: options.host ?? LOOPBACK,
      REPLICA: 'gateway',
      ...own('gateway', 'gateway'),
    }),
  }
}
