import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../../machines/views/view.ts'
import {type ListPage, completeView, listAll, topAll} from '../../../src/client/pages.ts'
import {toListReply} from '../../../src/coordinator/endpoints/list-reply.ts'
import {TallyError} from '../../../src/kernel/errors.ts'
import {fitView} from '../../../src/messaging/fit-view.ts'
import {sizeOf, takePage} from '../../../src/messaging/page.ts'
import {toTopReply} from '../../../src/observation/top.ts'

const besides = 1024

function toView(id: string, namespace = 'default', execs: readonly string[] = []): ContainerView {
  return {
    node: 'n1',
    namespace,
    id,
    uid: `uid-${id}`,
    state: 'running',
    since: '',
    args: ['sh'],
    autoRemove: false,
    requestedAt: '',
    eventCount: 4,
    ...(execs.length > 0 && {execs: execs.map((exec) => ({exec, state: 'running', args: ['x'.repeat(100)], addedAt: ''}))}),
  }
}

function toProcess(pid: number, args: readonly string[] = ['sh']) {
  return {pid, parentPid: 1, state: 'S', uid: 0, user: 'root', cpuMs: 0, startedAt: '', args: [...args], init: false}
}

const tooLarge = () => Promise.reject(new TallyError('REPLY_TOO_LARGE', 'too large'))

describe('a page', () => {
  it('has as many as fit, or as were asked for, and one at least', () => {
    const items = ['aaaa', 'bbbb', 'cccc']
    expect(takePage(items, {room: besides + 21})).toEqual(items)
    expect(takePage(items, {room: besides + 20})).toEqual(['aaaa', 'bbbb'])
    expect(takePage(items, {room: besides + 100, limit: 1})).toEqual(['aaaa'])
    expect(takePage(items, {room: 1})).toEqual(['aaaa'])
    expect(takePage([], {room: 1})).toEqual([])
  })

  it('of the list is in the order of names, and says when there are more', async () => {
    const views = [toView('b'), toView('a', 'other'), toView('c'), toView('a')]
    expect(toListReply(views, {}, 1)).toEqual({containers: views})
    const ask = (page: ListPage) => (page.limit === undefined ? tooLarge() : Promise.resolve(toListReply(views, page, besides + 300)))
    expect(toListReply(views, {limit: 3}, besides + 10_000).next).toBe('default/c')
    expect(toListReply(views, {limit: 4}, besides + 10_000).next).toBeUndefined()
    expect((await listAll(ask)).map(({namespace, id}) => `${namespace}/${id}`)).toEqual(['default/a', 'default/b', 'default/c', 'other/a'])
  })

  it('of processes is in the order of pids, with command lines that fit', async () => {
    const long = Array.from({length: 30}, () => 'y'.repeat(1_000))
    const processes = [toProcess(30), toProcess(7, long), toProcess(12)]
    expect(toTopReply(processes, {}, 1)).toEqual({processes})
    const {processes: shown, next} = toTopReply(processes, {limit: 2}, 100_000)
    expect([next, ...shown.map(({pid, argsCut = false}) => [pid, argsCut])]).toEqual([12, [7, true], [12, false]])
    expect(shown[0]?.args.join('').length).toBe(16 * 1024)
    const {processes: all} = await topAll((page) =>
      page.limit === undefined ? tooLarge() : Promise.resolve(toTopReply(processes, page, 1)),
    )
    expect(all.map(({pid}) => pid)).toEqual([7, 12, 30])
  })
})

describe('the view of a container', () => {
  const view = toView('a', 'default', ['e1', 'e2', 'e3', 'e4'])
  const bare = sizeOf(toView('a'))

  it('has the added processes that fit, and names the first that does not', () => {
    expect(fitView(view, 100_000)).toEqual(view)
    expect(fitView(view, bare + besides + 400)).toMatchObject({execs: [{exec: 'e1'}, {exec: 'e2'}], nextExec: 'e3'})
    expect(fitView(view, bare)).toEqual({...toView('a'), nextExec: 'e1'})
  })

  it('is put together from its parts', async () => {
    const room = bare + besides + 200
    const from = (exec: string) => {
      const first = view.execs?.findIndex((one) => one.exec === exec)
      return Promise.resolve(fitView({...view, execs: view.execs?.slice(first)}, room))
    }
    expect(await completeView(fitView(view, room), from)).toEqual(view)
  })
})
