/** What is built on locks? */
import type { Route } from '../shared/http/route.ts'
import type { Log } from '../shared/log/log.ts'
import { openDialects } from './dialects/routes.ts'
import { electionRoutes } from './election/routes.ts'
import { jobRoutes } from './jobs/routes.ts'
import { openJobs } from './jobs/store.ts'
import type { LockService } from './lock/lock-service.ts'

export const routesOnLocks = (service: LockService, log: Log, nextLogId: () => string): readonly Route[] => [
  ...electionRoutes(service),
  ...jobRoutes({ ...service, jobs: openJobs({ ...service, log }) }),
  ...openDialects(service, nextLogId),
]
