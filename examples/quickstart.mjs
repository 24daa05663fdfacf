// Ten lines of use. Run it after `npm run build` with `node examples/quickstart.mjs`.
import { open } from 'mneme';

const db = open(':memory:');
const users = db.keyspace('users');
users.set('ada', 'Countess of Lovelace');
users.set('session:ada', 'c0ffee', { ttl: 3600 });
users.batch((batch) => {
  batch.incr('visits', 41);
  batch.incr('visits');
});
console.log(users.get('ada'), users.get('visits'), [...users.range('a', 'b')]);
db.close();
