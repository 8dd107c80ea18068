/** Which older dialects are served, each as it is? */
import type { Route } from '../../shared/http/route.ts'
import type { Holding } from '../lock/holding.ts'
import type { Verbs } from '../lock/verbs.ts'
import { distributedLockRoutes } from './distributed-lock.ts'
import { lockUnlockRoutes } from './lock-unlock.ts'

export type DialectOptions = { readonly verbs: Verbs; readonly holding: Holding }

export const openDialects = ({ verbs, holding }: DialectOptions, nextLogId: () => string): readonly Route[] => [
  ...lockUnlockRoutes({ verbs, holding }),
  ...distributedLockRoutes({ verbs, nextLogId }),
]
