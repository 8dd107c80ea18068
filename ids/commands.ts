/** Which commands ids has: what each wants and returns, as its Lua file says. */
import { command } from '../shared/redis/command.ts'

export const giveIdentifier = command('give-identifier', ['log_id'], { given: ['log_id'] })
export const leaseBlock = command('lease-block', ['replica'], { leased: ['block'] })
