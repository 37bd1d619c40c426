import {expect, it} from 'vitest'
import {createSizeSender} from '../../../src/client/size-sender.ts'

const toSize = (columns: number) => ({columns, rows: 24})
const settle = () => new Promise((resolve) => setImmediate(resolve))

it('sends one size at a time, and of those that come meanwhile the last', async () => {
  const sent: number[] = []
  const answers: PromiseWithResolvers<void>[] = []
  const resize = createSizeSender(({columns}) => {
    sent.push(columns)
    const answer = Promise.withResolvers<void>()
    answers.push(answer)
    return answer.promise
  })
  for (const columns of [80, 81, 82]) resize(toSize(columns))
  expect(sent).toEqual([80])
  answers[0]?.reject(new Error('NATS is away'))
  await settle()
  expect(sent).toEqual([80, 82])
  answers[1]?.resolve()
  await settle()
  expect(sent).toEqual([80, 82])
  resize(toSize(83))
  expect(sent).toEqual([80, 82, 83])
})
