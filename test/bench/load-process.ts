/** Sends what a job wants, in a process of its own. See `load.ts` for what a job is. */
import { driveClosed } from './closed-loop.ts'
import type { Job, LoadMessage, Measured } from './load.ts'
import { driveOpen } from './open-loop.ts'

const tell = (message: LoadMessage): void => {
  if (process.connected) process.send?.(message)
}

const drive = (job: Job): Promise<Measured> => {
  const { perSecond } = job
  const tellMoment = (now: 'begun' | 'over'): void => tell({ now })
  return perSecond === undefined ? driveClosed(job, tellMoment) : driveOpen({ ...job, perSecond }, tellMoment)
}

process.on('message', async (job: Job) => tell({ now: 'done', measured: await drive(job) }))
process.once('disconnect', () => process.exit())
