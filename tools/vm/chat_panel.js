// In the packaged page: a text box, buttons and the conversation as text, for phones' keyboards, for
// screen readers and for the keyboard alone. It uses the project's public names only, and is put
// into the page by package.mjs where the project has the chat's interface.
(() => {
  const {vm, scaffolding} = window;
  const kPeriod = 100;  // milliseconds from one look at the project to the next
  const kLabels = {ask: 0, stop: 2, newChat: 4};  // in `interface texts`

  const find = (name, type) => Object.values(vm.runtime.getTargetForStage().variables)
    .find((variable) => variable.name === name && variable.type === type);
  const text = (name) => String(find(name, '').value);
  const list = (name) => find(name, 'list').value.map(String);
  const send = (message) => vm.runtime.startHats('event_whenbroadcastreceived',
    {BROADCAST_OPTION: message});

  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const talk = make('div', {id: 'talk', tabIndex: 0});
  talk.setAttribute('role', 'log');
  talk.setAttribute('aria-live', 'polite');
  talk.setAttribute('aria-label', 'Conversation');
  const state = make('p', {id: 'state'});
  state.setAttribute('role', 'status');
  const label = make('label', {htmlFor: 'message', className: 'unseen'});
  const box = make('textarea', {id: 'message', rows: 1, enterKeyHint: 'send', autocomplete: 'off'});
  const sendButton = make('button', {type: 'submit', textContent: 'Send'});
  const stopButton = make('button', {type: 'button', id: 'stop', disabled: true});
  const newButton = make('button', {type: 'button', id: 'new-chat'});
  const form = make('form', {}, label, box, sendButton, stopButton, newButton);
  const panel = make('section', {id: 'chat'}, talk, state, form);
  panel.setAttribute('aria-label', document.title);

  let asking = false;  // the project waits in its block `ask`
  let sent = '';       // until it stands in the conversation

  const submit = () => {
    const message = box.value.trim();
    if (asking) {
      vm.runtime.emit('ANSWER', message);
      box.blur();  // the stage's keys work again
    } else if (message !== '') {
      find('user message', '').value = message;
      send('chat');
    }
    sent = message;
    box.value = '';
  };

  const showTalk = (turns) => {
    while (talk.children.length > turns.length) talk.lastChild.remove();
    turns.forEach((turn, i) => {
      const who = turn.startsWith('user: ') ? 'user' : 'model';
      const line = talk.children[i] ?? talk.appendChild(make('p', {},
        make('span', {className: 'unseen'}), make('span', {})));
      const said = turn.slice(turn.indexOf(': ') + 2);
      if (line.className === who && line.lastChild.textContent === said) return;
      line.className = who;
      line.firstChild.textContent = who === 'user' ? 'You: ' : 'Answer: ';
      line.lastChild.textContent = said;
      talk.scrollTop = talk.scrollHeight;
    });
  };

  const look = () => {
    const status = text('status');
    const thinking = status === 'thinking';
    // Read out when the answer is whole.
    talk.setAttribute('aria-busy', String(thinking));
    const turns = list('transcript');
    showTalk(turns);
    if (state.textContent !== status) state.textContent = status;
    state.classList.toggle('error', status.startsWith('error'));
    if (stopButton.disabled === thinking) {
      if (document.activeElement === stopButton) box.focus();
      stopButton.disabled = !thinking;
    }
    if (turns.includes(`user: ${sent}`)) sent = '';
    if (status.startsWith('error') && sent !== '' && box.value === '') {
      box.value = sent;  // nobody has to type it again
      sent = '';
    }
  };

  const begin = () => {
    const words = list('interface texts');
    label.textContent = words[kLabels.ask];
    box.placeholder = words[kLabels.ask];
    stopButton.textContent = words[kLabels.stop];
    newButton.textContent = words[kLabels.newChat];
    document.body.append(panel);
    scaffolding.relayout();
    setInterval(look, kPeriod);
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  box.addEventListener('keydown', (event) => {
    const entered = event.key === 'Enter' && !event.shiftKey && !event.isComposing;
    if (!entered && event.key !== 'Escape') return;
    event.preventDefault();
    if (event.key === 'Escape') box.value = '';
    if (entered || asking) submit();
  });
  stopButton.addEventListener('click', () => send('stop'));
  newButton.addEventListener('click', () => {
    send('new chat');
    box.focus();
  });
  vm.runtime.on('QUESTION', (question) => {
    asking = question !== null;
    if (asking) box.focus();
  });
  vm.runtime.once('PROJECT_LOADED', begin);
  document.documentElement.lang = 'en';
})();
