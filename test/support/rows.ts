/** Every row of every service: what the shop can be asked. */

import { api as ids } from '../../ids/api.ts'
import { distributedLock, lockUnlock } from '../../ids/dialects/api.ts'
import { elections } from '../../ids/election/api.ts'
import { jobs } from '../../ids/jobs/api.ts'
import { locks } from '../../ids/lock/api.ts'
import { api as order } from '../../order/api.ts'
import { cancels } from '../../order/cancel/api.ts'
import { changes } from '../../order/change/api.ts'
import { forms } from '../../order/forms/api.ts'
import { refunds } from '../../order/refunds/api.ts'
import { webhooks } from '../../order/webhooks/api.ts'
import { api as payment } from '../../payment/api.ts'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import type { Row, Rows } from '../../shared/http/route.ts'
import { auditApi, featureApi, logApi, recoveryApi, sagaApi } from '../../shared/operator/api.ts'
import { api as stock } from '../../stock/api.ts'

/** What every service adds to its own rows. */
const ofOperators = (prefix: string): Rows => ({ ...logApi(prefix), ...sagaApi(prefix), ...featureApi(prefix) })

const apis: Readonly<Record<Service, Rows>> = {
  ids: { ...ids, ...locks, ...elections, ...jobs, ...lockUnlock, ...distributedLock, ...ofOperators('/ids') },
  order: {
    ...order,
    ...cancels,
    ...changes,
    ...refunds,
    ...webhooks,
    ...forms,
    ...ofOperators('/orders'),
    ...recoveryApi('/orders'),
  },
  payment: { ...payment, ...ofOperators('/payment'), ...recoveryApi('/payment'), ...auditApi('/payment') },
  stock: { ...stock, ...ofOperators('/stock'), ...auditApi('/stock') },
}

export type NamedRow = Row & { readonly service: Service; readonly name: string }

export const ROWS: readonly NamedRow[] = SERVICES.flatMap((service) =>
  Object.entries(apis[service]).map(([name, row]) => ({ ...row, service, name })),
)

/** A target of this row: its path, with these values for its parameters. */
export const targetOf = ({ path }: Row, values: Readonly<Record<string, string>> = {}): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] ?? '1'))
