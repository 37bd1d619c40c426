/**
 * Shows the main features: a node in a temporary directory, and a container that prints, leaves an orphan behind and exits with 7, followed
 * over NATS. Exits with 0 only if the ledger is complete and nothing is left behind.
 */
import {execFile} from 'node:child_process'
import {closeSync, mkdtempSync, openSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify, styleText} from 'node:util'
import {parseLedgerEvent} from '../machines/ledger/cloud-event.ts'
import {foldEvents, toTopLevelState} from '../machines/ledger/ledger.ts'
import {connectTally, type TallyClient} from '../src/client/index.ts'
import {findLeftovers} from '../test/support/leftovers.ts'
import {makeBusyboxRootfs} from '../test/support/busybox.ts'

const tally = join(import.meta.dirname, '../bin/tally')
const dir = mkdtempSync(join(tmpdir(), 'tally-demo-'))
const [stateDir, runDir] = [join(dir, 'state'), join(dir, 'run')]
const env = {...process.env, TALLY_STATE_DIR: stateDir, TALLY_RUN_DIR: runDir, TALLY_NODE: 'demo'}
const program = 'for i in 1 2 3 4; do echo "line $i of 4"; sleep 0.5; done; echo "a warning" >&2; sleep 300 & exit 7'

process.once('exit', () => rmSync(dir, {recursive: true, force: true}))
let failures = 0

title('A node, with a nats-server of its own')
await run('up', '-d')
try {
  await using client = await connectTally({runDir})
  await show(client)
} finally {
  await run('down', '--containers')
}
title('What is left on the machine')
for (const [kind, found] of Object.entries(
  await findLeftovers({dirs: [dir], isOwnGroup: (name) => name.startsWith('tally-default-demo-')}),
))
  check(found.length === 0, `${kind}: ${found.join('; ') || 'none'}`)
console.log(failures === 0 ? styleText('green', '\nAll as it should be.') : styleText('red', `\n${failures} of the checks failed.`))
process.exitCode = failures === 0 ? 0 : 1

async function show(client: TallyClient): Promise<void> {
  title('A container, followed over NATS')
  const {connection, subjects} = client
  connection.subscribe(subjects.events(), {
    callback: (_, message) => tell('cyan', message.subject, describe(message.string())),
  })
  for (const stream of ['stdout', 'stderr'] as const) {
    const subject = subjects.log({node: client.node, namespace: 'default', id: 'demo'}, stream)
    connection.subscribe(subject, {
      callback: (_, message) => message.data.length > 0 && tell('yellow', subject, message.string().trimEnd()),
    })
  }
  await connection.flush()
  await run('create', '--name', 'demo', '--rootfs', makeBusyboxRootfs(dir), '--', 'sh', '-c', program)
  // Opened before the container, and its journal, is deleted: the content can still be read.
  const journal = openSync(join(stateDir, 'containers/default/demo/journal.jsonl'), 'r')
  // Output is published while somebody asks for it.
  await client.container('demo').output('stdout', 0, {watchMs: 60_000})
  await run('start', 'demo')
  const status = (await run('wait', 'demo')).trim()
  await run('rm', 'demo')

  title('The ledger')
  const journaled = readFileSync(journal, 'utf8').trimEnd().split('\n')
  closeSync(journal)
  const streamed = await readStream(client)
  const events = streamed.map(parseLedgerEvent)
  check(status === '7', `exit status ${status}, expected 7`)
  check(
    journaled.length > 0 && JSON.stringify(journaled) === JSON.stringify(streamed),
    `journal and stream have the same ${journaled.length} events, byte for byte`,
  )
  check(
    events.every(({sequence}, index) => sequence === index + 1),
    `sequence 1 to ${events.length}, without a gap`,
  )
  check(toTopLevelState(foldEvents(events)) === 'deleted', 'folded, they end in deleted')
}

/** The bytes in the stream: parsing and formatting an event could change the order of its fields. */
async function readStream({connection}: TallyClient): Promise<readonly string[]> {
  const {streams} = await connection.jetstreamManager()
  const {state} = await streams.info('TALLY_EVENTS')
  const places = Array.from({length: state.messages}, (_, index) => state.first_seq + index)
  return await Promise.all(places.map(async (seq) => (await streams.getMessage('TALLY_EVENTS', {seq})).string()))
}

async function run(...args: readonly string[]): Promise<string> {
  console.log(styleText('dim', `$ tally ${args.map((arg) => (/[\s;]/.test(arg) ? `'${arg}'` : arg)).join(' ')}`))
  const {stdout} = await promisify(execFile)(tally, args, {env})
  console.log(stdout.trimEnd())
  return stdout
}

function describe(json: string): string {
  const {sequence, type, data} = parseLedgerEvent(json)
  const about = type === 'container.exited' ? JSON.stringify(data.exit) : type === 'container.created' ? `init ${data.init?.pid}` : ''
  return `${sequence} ${type} ${about}`
}

function tell(color: 'cyan' | 'yellow', subject: string, text: string): void {
  console.log(`${styleText('dim', subject.padEnd(52))} ${styleText(color, text)}`)
}

function title(text: string): void {
  console.log(styleText('bold', `\n${text}`))
}

function check(isTrue: boolean, text: string): void {
  if (!isTrue) failures += 1
  console.log(`${isTrue ? styleText('green', 'yes') : styleText('red', 'NO ')} ${text}`)
}
