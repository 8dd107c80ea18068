/** Runs a schedule, the expression of which is its argument, and says in a line for each run when it was by the monotonic clock. */
import process from 'node:process'
import { openSchedule } from '../../../shared/saga/schedule.ts'

const [expression = ''] = process.argv.slice(2)
const say = (): void => void process.stdout.write(`${Math.round(performance.now())}\n`)
say()
openSchedule(expression, say).start()
