/**
 * How much processor time did each process take?
 *
 * From `/proc/<pid>/stat`: user and system time, its own and that of children it has waited for (a Redis that rewrites its
 * file has one). The kernel counts in ticks of 10 ms, which is exact enough over seconds. Elsewhere than on Linux there is
 * no such file, and nothing is told.
 */
import { existsSync, readFileSync } from 'node:fs'

/** USER_HZ is 100 on every architecture that Linux runs Node on. */
const MS_PER_TICK = 10
/** Of the fields that follow the name in parentheses: utime, stime, cutime, cstime. */
const FIRST_TIME = 11
const TIMES = 4

export const canMeasureCpu = existsSync('/proc/self/stat')

/** A process and the name under which its time is added up. */
export type Watched = { readonly role: string; readonly pid: number }

/** Milliseconds of processor time by role. */
export type CpuTimes = ReadonlyMap<string, number>

/** The role under which the time of all processes of the machine is told, those that have nothing to do with this included. */
export const MACHINE = 'machine'

/** The times since each process began, and since the machine did. A process that has ended counts nothing. */
export const readCpu = (processes: readonly Watched[]): CpuTimes => {
  const times = new Map([[MACHINE, timeOfMachine()]])
  for (const { role, pid } of processes) times.set(role, (times.get(role) ?? 0) + timeOf(pid))
  return times
}

const timeOf = (pid: number): number => {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return 0
  const stat = readFileSync(file, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(FIRST_TIME, FIRST_TIME + TIMES).reduce((sum, field) => sum + Number(field), 0)
  return ticks * MS_PER_TICK
}

/** Of the first line's times: user, nice, system, idle, iowait, irq, softirq, steal. */
const timeOfMachine = (): number => {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)
    .flatMap((line) => line.trim().split(/ +/).slice(1).map(Number))
  return (user + nice + system + irq + softirq + steal) * MS_PER_TICK
}

/** What was taken between two readings. */
export const since = (before: CpuTimes, after: CpuTimes): CpuTimes =>
  new Map([...after].map(([role, ms]) => [role, ms - (before.get(role) ?? 0)]))
