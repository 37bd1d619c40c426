import {describe, expect, it} from 'vitest'
import {formatReport} from '../../../src/cli/fsck.ts'
import type {Outcome} from '../../../src/fsck/main.ts'

const torn: Outcome = {code: 'JOURNAL_TORN', container: 'default/web', subject: '/j', message: 'torn', repair: undefined, repaired: false}
const mounted: Outcome = {
  code: 'MOUNT_ORPHAN',
  container: 'default/old',
  subject: '/m',
  message: 'mounted\u001b[2J',
  repair: {type: 'remove-state-dir', namespace: 'default', id: 'old'},
  repaired: false,
}

describe('the report of fsck', () => {
  it('is one line when everything agrees', () => {
    expect(formatReport({node: 'n1', findings: [], notCompared: []}, {repair: false})).toBe('node n1: everything agrees\n')
  })

  it('has one line per finding and per thing that was not compared, without control characters', () => {
    expect(formatReport({node: 'n1', findings: [torn, mounted], notCompared: ['x with y: z']}, {repair: false})).toBe(
      `JOURNAL_TORN  default/web  torn
MOUNT_ORPHAN  default/old  mounted [2J
not compared: x with y: z
node n1: 2 findings
`,
    )
  })

  it('says of each finding whether it was repaired', () => {
    const findings = [torn, {...mounted, repaired: true}, {...mounted, failure: 'in use'}]
    expect(formatReport({node: 'n1', findings, notCompared: []}, {repair: true})).toBe(
      `JOURNAL_TORN  default/web  torn (left as it is)
MOUNT_ORPHAN  default/old  mounted [2J (repaired)
MOUNT_ORPHAN  default/old  mounted [2J (not repaired: in use)
node n1: 3 findings, 1 repaired
`,
    )
  })
})
