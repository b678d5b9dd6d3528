// Starts the page: the bridge, then the root component.

import { reportProblem, reportTo } from './trusted.js';
import './components/app.js';
import { Bridge } from './bridge.js';
import { restCaret } from './caret.js';

const url = new URL(`bridge${location.search}`, location.href);
url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
const bridge = new Bridge(url.href);

const app = document.createElement('oc-app');
app.className = 'window';
app.bridge = bridge;
document.body.append(app);
bridge.on('open', () => {
  reportTo((text) => {
    // A report that cannot be sent is kept for the next connection.
    bridge.call('report_problem', { text }).catch(() => {
      reportTo(null);
      reportProblem(text);
    });
  });
});
bridge.on('lost', () => reportTo(null));
bridge.on('reload_page', () => location.reload());
bridge.connect();
restCaret();
