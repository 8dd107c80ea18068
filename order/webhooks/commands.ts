/** Which commands order has about webhooks: what each wants and returns, as its Lua file says. */
import { command } from '../../shared/redis/command.ts'

export const createWebhook = command(
  'create-webhook',
  ['log_id', 'webhook', 'url', 'events', 'secret', 'enabled', 'most'],
  { created: ['webhook', 'secret'] },
  { 'too-many': [] },
)
export const changeWebhook = command(
  'change-webhook',
  ['log_id', 'webhook', 'url?', 'events?', 'enabled?', 'secret?'],
  {
    changed: [],
    rotated: ['secret'],
    unknown: [],
  },
)
export const deleteWebhook = command('delete-webhook', ['log_id', 'webhook'], { deleted: [], unknown: [] })
/** What came of delivering. */
export const passWebhook = command('pass-webhook', ['webhook', 'from', 'to', 'version', 'note?', 'lost?'], {
  passed: [],
  changed: [],
  moved: [],
})
export const failWebhook = command(
  'fail-webhook',
  ['log_id', 'webhook', 'from', 'version', 'wait_ms', 'note', 'error', 'gone'],
  { failed: [], disabled: [], moved: [] },
)
