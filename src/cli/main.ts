console.log('tally')
