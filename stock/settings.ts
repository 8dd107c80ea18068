/** How is the stock service set? */
import { origins } from '../shared/process/config.ts'
import { peerRedis, serviceSettings } from '../shared/settings.ts'

export const settings = {
  ...serviceSettings,
  order: peerRedis.order,
  payment: peerRedis.payment,
  ids: origins('IDS_URLS'),
}
