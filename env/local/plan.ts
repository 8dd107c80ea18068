/** Which processes does a shop have, and at which ports? */

import { SERVICES, type Service } from '../../shared/contract/services.ts'

export type PlanOptions = {
  /** The gateway's port; 0, the default, takes a free one. */
  readonly port?: number
  /** How many replicas each service has, default 1. */
  readonly replicas?: number | Partial<Record<Service, number>>
  /** Replicas that the others know of but that are not started: `shop.services.order[1].start()` does. */
  readonly spare?: Partial<Record<Service, number>>
}

/** Which replicas there are and where: settled before anything starts, because everybody is told the others' ports. */
export type Plan = {
  readonly gatewayPort: number
  readonly redisPorts: Record<Service, number>
  readonly replicas: readonly {
    readonly service: Service
    readonly name: string
    readonly port: number
    readonly spare: boolean
  }[]
}

const countsOf = ({ replicas = 1, spare = {} }: PlanOptions, service: Service) => {
  const started = typeof replicas === 'number' ? replicas : (replicas[service] ?? 1)
  return { started, all: started + (spare[service] ?? 0) }
}

export const replicasOf = (options: PlanOptions) =>
  SERVICES.flatMap((service) => {
    const { started, all } = countsOf(options, service)
    return Array.from({ length: all }, (_, index) => ({
      service,
      name: `${service}-${index + 1}`,
      spare: index >= started,
    }))
  })

export const planOf = (options: PlanOptions, ports: readonly number[]): Plan => {
  const [gatewayPort = 0, ids = 0, order = 0, payment = 0, stock = 0, ...rest] = ports
  return {
    gatewayPort: options.port || gatewayPort,
    redisPorts: { ids, order, payment, stock },
    replicas: replicasOf(options).map((replica, index) => ({ ...replica, port: rest[index] ?? 0 })),
  }
}

export const portsNeeded = (options: PlanOptions): number => 1 + SERVICES.length + replicasOf(options).length
