import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {type CloudEvent, parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import {foldEvents, toTopLevelState} from '../../machines/ledger/ledger.ts'
import type {ContainerView, LogReply, NodeInfo} from '../../machines/views/view.ts'
import {type ContainerClient, connectTally, type TallyClient} from '../../src/client/index.ts'
import {killNode} from '../support/kill-node.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'
import {ask, type SentEvent, type Visitor, visit} from '../support/visitor.ts'

interface Overview {
  readonly streamSequence: number
  readonly containers: readonly ContainerView[]
}

interface LedgerReply {
  readonly streamSequence: number
  readonly events: readonly CloudEvent[]
}

const node = useNode({args: ['--http', '127.0.0.1:0']})
let visitor: Visitor
let client: TallyClient
let box: ContainerClient
beforeAll(async () => {
  visitor = await visit(node)
  client = await connectTally({runDir: node.runDir})
  await client.create({id: 'box', rootfs: node.rootfs, args: ['sh', '-c', 'echo one; echo two >&2; printf three; sleep 600']})
  box = client.container('box')
  await box.start()
})
afterAll(() => client[Symbol.asyncDispose]())

const path = (id: string) => `/api/containers/n1/default/${id}`
const toPlace = (id: string | undefined) => Number.parseInt(id ?? '', 10)
const ids = (events: readonly SentEvent[]) => events.map(({id}) => toPlace(id))
const range = (first: number, last: number) => Array.from({length: last - first + 1}, (_, index) => first + index)
const run = async (id: string, ...args: readonly string[]) => {
  await client.create({id, rootfs: node.rootfs, args: [...args]})
  await client.container(id).start()
}

describe('over HTTP', () => {
  it('the node says what it is, and where its stream ends', async () => {
    const {info, streamSequence} = await visitor.json<{info: NodeInfo; streamSequence: number}>('/api/node')
    expect(info).toEqual(await client.info())
    expect(info.httpUrl).toBe(visitor.url)
    expect(streamSequence).toBeGreaterThanOrEqual(4)
  })

  it('the containers are as the node lists them, as of a place in the stream', async () => {
    const {streamSequence, containers} = await visitor.json<Overview>('/api/containers')
    expect(containers).toEqual(await client.list({all: true}))
    const [last] = (await visitor.follow(`/api/events?after=${streamSequence - 1}`, ({length}) => length === 1)).map(({data}) =>
      parseLedgerEvent(data),
    )
    expect(last?.sequence).toBe(containers.find(({id}) => id === 'box')?.eventCount)
  })

  it('a deleted container is listed when asked for, and its ledger is whole', async () => {
    await run('gone', 'true')
    const {uid} = await client.container('gone').wait()
    await client.container('gone').delete()
    const now = await visitor.json<Overview>('/api/containers')
    expect(now.containers.map(({id}) => id)).toEqual(['box'])
    const ever = await visitor.json<Overview>('/api/containers?deleted=1')
    expect(ever.containers.find(({id}) => id === 'gone')).toMatchObject({uid, state: 'deleted', exit: {type: 'code', code: 0}})
    const {events} = await visitor.json<LedgerReply>(`${path('gone')}/events`)
    const ledger = foldEvents(events.map((event) => parseLedgerEvent(JSON.stringify(event))))
    expect(toTopLevelState(ledger)).toBe('deleted')
  })

  it('the ledger of an id that is used again is that of the latest, unless another is named', async () => {
    const uids: string[] = []
    for (const code of ['3', '4']) {
      await run('again', 'sh', '-c', `exit ${code}`)
      uids.push((await client.container('again').wait()).uid)
      await client.container('again').delete()
    }
    const codes = async (query: string) => {
      const {events} = await visitor.json<LedgerReply>(`${path('again')}/events${query}`)
      expect(events.map(({sequence}) => sequence)).toEqual(range(1, events.length))
      return events.filter(({type}) => type.endsWith('.exited')).map(({data}) => data)
    }
    expect(await codes('')).toEqual([expect.objectContaining({exit: {type: 'code', code: 4}})])
    expect(await codes(`?uid=${uids[0]}`)).toEqual([expect.objectContaining({exit: {type: 'code', code: 3}})])
    expect(JSON.parse((await visitor.ask('GET', `${path('never')}/events`)).text)).toMatchObject({
      code: 'CONTAINER_NOT_FOUND',
      kind: 'not_found',
    })
    expect((await visitor.ask('GET', `${path('again')}/events?uid=nobody`)).status).toBe(404)
  })

  it('the page is not kept by the browser, and its data neither', async () => {
    expect((await visitor.ask('GET', '/')).headers['cache-control'] ?? 'no-cache').toMatch(/no-(cache|store)/)
    expect((await visitor.ask('GET', '/api/containers')).headers['cache-control']).toBe('no-store')
  })

  it('metrics are there with the token of a file, and it opens nothing else', async () => {
    const headers = {Authorization: `Bearer ${readFileSync(join(node.stateDir, 'metrics-token'), 'utf8').trim()}`}
    const {status, text, headers: answered} = await ask(visitor.url, 'GET', '/metrics', {headers})
    expect({status, type: answered['content-type']}).toEqual({status: 200, type: expect.stringMatching(/^text\/plain; version=0\.0\.4/)})
    expect(text).toMatch(/^tally_containers\{.*state="running".*\} 1$/m)
    expect((await visitor.ask('GET', '/metrics')).status).toBe(200)
    expect((await ask(visitor.url, 'GET', '/api/node', {headers})).status).toBe(401)
  })
})

describe('the feed of events', () => {
  it('begins where the request says, and goes on where the browser was, without a gap and without a duplicate', async () => {
    const first = await visitor.follow('/api/events?after=0', ({length}) => length >= 3)
    expect(ids(first)).toEqual(range(1, first.length))
    const last = first.at(-1)?.id
    await run('meanwhile', 'true')
    await client.container('meanwhile').delete({force: true})
    // The address is that of the first time.
    const next = await visitor.follow('/api/events?after=0', ({length}) => length >= 5, {'Last-Event-ID': last})
    expect(ids(next)).toEqual(range(toPlace(last) + 1, toPlace(last) + next.length))
    const {streamSequence} = await visitor.json<Overview>('/api/containers')
    const all = await visitor.follow('/api/events', (events) => toPlace(events.at(-1)?.id) >= streamSequence)
    expect(all.map(({data}) => parseLedgerEvent(data))).toEqual((await node.events()).slice(0, all.length))
  })

  it('has what happens now', async () => {
    const {streamSequence} = await visitor.json<Overview>('/api/containers')
    const following = visitor.follow(`/api/events?after=${streamSequence}`, (events) =>
      events.some(({data}) => data.includes('container.deleted')),
    )
    await run('now', 'true')
    await client.container('now').delete({force: true})
    const events = (await following).map(({data}) => parseLedgerEvent(data))
    expect(events.map(({sequence}) => sequence)).toEqual(range(1, events.length))
  })

  it('is the same for everybody, and goes on when the coordinator was away', async () => {
    const {streamSequence} = await visitor.json<Overview>('/api/containers')
    const before = await visitor.follow('/api/events?after=0', (events) => toPlace(events.at(-1)?.id) >= streamSequence)
    killNode(await node.info())
    await eventually('dead', async () => (await node.tally('info')).exitCode !== 0)
    await box.pause()
    await box.resume()
    expect((await node.tally('up', '-d', '--http', new URL(visitor.url).host)).exitCode).toBe(0)
    const after = await visitor.follow('/api/events', ({length}) => length >= 4, {'Last-Event-ID': before.at(-1)?.id})
    expect(ids(after)).toEqual(range(streamSequence + 1, streamSequence + after.length))
  })

  it('says that the stream is another when the place is beyond its end', async () => {
    const {streamSequence} = await visitor.json<Overview>('/api/containers')
    const [reset] = await visitor.follow(`/api/events?after=${streamSequence + 100}`, ({length}) => length === 1)
    expect(reset).toMatchObject({id: undefined, event: 'reset'})
  })
})

describe('the log', () => {
  const texts = (entries: readonly {readonly stream: string; readonly data: string}[]) =>
    entries.map(({stream, data}) => `${stream} ${Buffer.from(data, 'base64')}`)

  it('is read from its end or from a position', async () => {
    const {entries, next} = await visitor.json<LogReply>(`${path('box')}/log?tail=100`)
    expect(texts(entries).toSorted()).toEqual(['stderr two\n', 'stdout one\n', 'stdout three'])
    expect(entries.at(-1)?.next).toBe(next)
    const [first] = entries
    expect((await visitor.json<LogReply>(`${path('box')}/log?position=${first?.next}`)).entries).toEqual(entries.slice(1))
  })

  it('is followed to its end, and from any place of it', async () => {
    await run('lines', 'sh', '-c', 'i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); done; sleep 1; echo last')
    const all = await visitor.follow(`${path('lines')}/log/follow?position=0`, (events) => events.at(-1)?.event === 'end')
    const lines = all.slice(0, -1).map(({data}) => JSON.parse(data))
    expect(texts(lines)).toEqual([...range(0, 299).map((index) => `stdout ${index}\n`), 'stdout last\n'])
    expect(all.slice(0, -1).map(({id}) => Number(id))).toEqual(lines.map(({next}) => next))
    const rest = await visitor.follow(`${path('lines')}/log/follow?position=0`, (events) => events.at(-1)?.event === 'end', {
      'Last-Event-ID': all[149]?.id,
    })
    expect(rest.map(({data}) => data)).toEqual(all.slice(150).map(({data}) => data))
    await client.container('lines').delete()
    expect((await visitor.ask('GET', `${path('lines')}/log/follow`)).status).toBe(404)
  })

  it('goes on when nats-server was killed', async () => {
    await run('long', 'sh', '-c', 'i=0; while [ $i -lt 60 ]; do echo $i; i=$((i+1)); sleep 0.1; done')
    const following = visitor.follow(`${path('long')}/log/follow?position=0`, (events) => events.at(-1)?.event === 'end')
    const {natsPid} = await node.info()
    if (natsPid === null) throw new Error('no nats-server')
    sendSignal(natsPid, 'SIGKILL')
    const lines = (await following).slice(0, -1).map(({data}) => JSON.parse(data))
    expect(texts(lines)).toEqual(range(0, 59).map((index) => `stdout ${index}\n`))
    await client[Symbol.asyncDispose]()
    client = await connectTally({runDir: node.runDir})
    box = client.container('box')
    await client.container('long').delete()
  })

  it('of an added process is its own', async () => {
    await box.addProcess({exec: 'own', args: ['sh', '-c', 'echo of exec; sleep 1; echo more >&2']})
    const all = await visitor.follow(`${path('box')}/log/follow?exec=own`, (events) => events.at(-1)?.event === 'end')
    expect(texts(all.slice(0, -1).map(({data}) => JSON.parse(data)))).toEqual(['stdout of exec\n', 'stderr more\n'])
    expect(texts((await visitor.json<LogReply>(`${path('box')}/log?exec=own&tail=1`)).entries)).toEqual(['stderr more\n'])
    expect((await visitor.ask('GET', `${path('box')}/log?exec=nobody`)).status).toBe(404)
    await box.process('own').delete()
  })
})

describe('samples', () => {
  it('come about once a second of everything that runs, also of what starts meanwhile', async () => {
    const following = visitor.follow('/api/stats', (events) => events.filter(({data}) => data.includes('"id":"later"')).length >= 2)
    await run('later', 'sleep', '600')
    const samples = (await following).map(({data}) => JSON.parse(data))
    const ofBox = samples.filter(({id}) => id === 'box')
    expect(ofBox.length).toBeGreaterThanOrEqual(2)
    expect(ofBox[0]).toMatchObject({node: 'n1', namespace: 'default', id: 'box', state: 'running', pids: {current: expect.any(Number)}})
    await client.container('later').delete({force: true})
  })
})

describe('a command', () => {
  it('is carried out as on NATS, and the ledger names the user of the page', async () => {
    const {status, text} = await visitor.post(`${path('box')}/pause`)
    expect({status, view: JSON.parse(text)}).toEqual({
      status: 200,
      view: expect.objectContaining({id: 'box', pausedAt: expect.any(String)}),
    })
    const requested = (await node.events('box')).findLast(({type}) => type === 'container.pause-requested')
    expect(requested?.actor).toMatch(/ \(page\)$/)
    expect((await visitor.post(`${path('box')}/resume`)).status).toBe(200)
  })

  it('that is refused gives the error, with a status by its kind', async () => {
    const refused = async (verb: string, body: unknown, id = 'box') => {
      const {status, text} = await visitor.post(`${path(id)}/${verb}`, body)
      return {status, ...JSON.parse(text)}
    }
    expect(await refused('start', {})).toMatchObject({
      status: 409,
      code: 'ILLEGAL_COMMAND',
      kind: 'precondition',
      details: {state: 'running'},
    })
    expect(await refused('kill', {signal: 'NONE'})).toMatchObject({
      status: 400,
      code: 'INVALID_REQUEST',
      details: {issues: [expect.stringMatching(/^signal/)]},
    })
    expect(await refused('kill', {exec: 'nobody'})).toMatchObject({status: 404, code: 'EXEC_NOT_FOUND'})
    expect(await refused('start', {}, 'nobody')).toMatchObject({status: 404, code: 'CONTAINER_NOT_FOUND'})
    expect(await refused('exec', {args: ['no-such-program']})).toMatchObject({status: 400, code: 'COMMAND_NOT_FOUND'})
  })

  it('of each kind does what it says', async () => {
    await run('all', 'sh', '-c', 'cat; sleep 600')
    const act = async (verb: string, body: object = {}) => {
      const {status, text} = await visitor.post(`${path('all')}/${verb}`, body)
      expect(status, `${verb}: ${text}`).toBe(200)
      return JSON.parse(text)
    }
    expect(await act('update', {pidsLimit: 50})).toMatchObject({limits: {pidsLimit: 50}})
    expect(await act('exec', {exec: 'more', args: ['sleep', '600'], terminal: true, stdin: true})).toMatchObject({
      exec: 'more',
      state: 'running',
    })
    expect(await act('resize', {exec: 'more', columns: 100, rows: 40})).toMatchObject({exec: 'more'})
    expect(await act('close-stdin', {exec: 'more'})).toMatchObject({exec: 'more'})
    expect(await act('kill', {exec: 'more', signal: 'KILL'})).toMatchObject({exec: 'more'})
    expect(await act('stop', {graceMs: 100})).toMatchObject({state: 'stopped', exit: {type: 'signal', signal: 'SIGKILL'}})
    expect(await act('delete')).toMatchObject({state: 'deleted'})
  })
})
