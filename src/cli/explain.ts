import type {Command} from 'commander'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {type Story, toStory} from '../../machines/story/story.ts'
import type {TallyClient} from '../client/client.ts'
import {TallyError} from '../kernel/errors.ts'
import {formatStory} from './format-story.ts'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addExplain(program: Command): void {
  addVerb(program, 'explain', 'explain what happened to a container, from its ledger, also after it was deleted')
    .argument('<id>')
    .option('--uid <uid>', 'beginning of the uid, when several containers have had the id (default: the latest)')
    .action(async (id: string, {uid}: {readonly uid?: string}, command: Command) => {
      await withClient(command, async (client, {namespace, json}) => {
        const {story, others} = await explain(client, {namespace, id, uid})
        if (json) printJson({...story, others})
        else process.stdout.write(formatStory(story, {others, now: Date.now(), width: process.stdout.columns}))
      })
    })
}

interface Wanted {
  readonly namespace: string
  readonly id: string
  readonly uid: string | undefined
}

/** @throws TallyError CONTAINER_NOT_FOUND when the stream has no event of it */
async function explain(
  client: TallyClient,
  {namespace, id, uid}: Wanted,
): Promise<{readonly story: Story; readonly others: readonly string[]}> {
  const address = {node: client.node, namespace, id}
  const lives = new Map<string, LedgerEvent[]>()
  for await (const {event} of client.events({filter: address, follow: false})) {
    const life = lives.get(event.uid) ?? []
    life.push(event)
    // Inserted again, so that the container of the latest event comes last.
    lives.delete(event.uid)
    lives.set(event.uid, life)
  }
  const chosen = [...lives.keys()].findLast((one) => one.startsWith(uid ?? ''))
  const story = toStory(lives.get(chosen ?? '') ?? [], Date.now())
  if (!story) {
    const which = uid === undefined ? '' : ` whose uid begins with ${uid}`
    throw new TallyError(
      'CONTAINER_NOT_FOUND',
      `the stream has no event of a container ${namespace}/${id} on node ${client.node}${which}`,
      {
        details: address,
      },
    )
  }
  return {story, others: [...lives.keys()].filter((one) => one !== chosen)}
}
