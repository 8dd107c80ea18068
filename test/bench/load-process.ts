/** Sends what a job wants, in a process of its own. See `load.ts` for what a job is. */
import { drive } from './drive.ts'
import type { Job, LoadMessage } from './load.ts'

const tell = (message: LoadMessage): void => {
  if (process.connected) process.send?.(message)
}

process.on('message', async (job: Job) => tell({ now: 'done', measured: await drive(job, (now) => tell({ now })) }))
process.once('disconnect', () => process.exit())
