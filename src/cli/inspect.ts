import type {Command} from 'commander'
import {toCloudEvent, type CloudEvent} from '../../machines/ledger/cloud-event.ts'
import type {ContainerView} from '../../machines/views/view.ts'
import type {TallyClient} from '../client/client.ts'
import {toErrorBody} from '../kernel/errors.ts'
import {printJson, printNote} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addInspect(program: Command): void {
  addVerb(program, 'inspect', 'show all information on containers as JSON: an object for one id, an array for several')
    .argument('<id...>')
    .action(async (ids: readonly string[], _flags: unknown, command: Command) => {
      await withClient(command, async (client, {namespace}) => {
        const found = await Promise.all(ids.map((id) => inspect(client, id, namespace)))
        printJson(found.length === 1 ? found[0] : found)
      })
    })
}

/** Values that do not apply are null, so that programs find every key. */
async function inspect(client: TallyClient, id: string, namespace: string) {
  const view = await client.container(id, namespace).state()
  const events = await readHistory(client, view).catch((error: unknown) => {
    const {code, message} = toErrorBody(error)
    if (code !== 'STREAM_UNREADABLE') throw error
    printNote(`the history of ${id} is missing: ${message}`)
    return null
  })
  return {
    ...view,
    pid: view.pid ?? null,
    supervisorPid: view.supervisorPid ?? null,
    exit: view.exit ?? null,
    oomKilled: view.oomKilled ?? false,
    events,
  }
}

async function readHistory(client: TallyClient, {node, namespace, id, uid}: ContainerView): Promise<readonly CloudEvent[]> {
  const events: CloudEvent[] = []
  for await (const {event} of client.events({filter: {node, namespace, id}, follow: false})) {
    if (event.uid === uid) events.push(toCloudEvent(event))
  }
  return events
}
