import {expect, it} from 'vitest'
import {createCreateRequests} from '../../../../src/coordinator/endpoints/create-requests.ts'

const name = {namespace: 'default', id: 'web'}
const origin = {actor: 'test', correlationId: 'c1', isRetry: true}

it('a retry joins the create that is under way, and no other request does', async () => {
  const creates = createCreateRequests()
  const {promise, resolve} = Promise.withResolvers<string>()
  const first = creates.join(name, {...origin, isRetry: false}, () => promise)
  const retry = creates.join(name, origin, async () => 'another')
  expect(await creates.join(name, {...origin, correlationId: 'c2'}, async () => 'another')).toBe('another')
  expect(await creates.join({...name, id: 'db'}, origin, async () => 'another')).toBe('another')
  expect(await creates.join(name, {...origin, isRetry: false}, async () => 'not a retry')).toBe('not a retry')
  resolve('made')
  expect(await Promise.all([first, retry])).toEqual(['made', 'made'])
  expect(await creates.join(name, origin, async () => 'later')).toBe('later')
})

it('a create that fails rejects its retries as well, and is then forgotten', async () => {
  const creates = createCreateRequests()
  const {promise, reject} = Promise.withResolvers<string>()
  const both = [creates.join(name, {...origin, isRetry: false}, () => promise), creates.join(name, origin, async () => 'another')]
  const rejected = Promise.all(both.map((one) => expect(one).rejects.toThrow('no')))
  reject(new Error('no'))
  await rejected
  expect(await creates.join(name, origin, async () => 'later')).toBe('later')
})
