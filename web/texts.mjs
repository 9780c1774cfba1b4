// Everything that the page says, for translation: values are texts, or functions of numbers and names.

const kLocale = 'en';
const number = (value) => new Intl.NumberFormat(kLocale).format(value);
const short = (value) => new Intl.NumberFormat(kLocale, {notation: 'compact', compactDisplay: 'long',
  maximumSignificantDigits: 3}).format(value);
const mega = (bytes) => `${number(Math.round(bytes / 1e5) / 10)} MB`;

export const texts = {
  locale: kLocale,
  title: 'A language model for Scratch',
  lead: 'Talk to a small language model, then make it a Scratch project that runs in blocks. ' +
    'Nothing leaves this computer.',
  catName: 'Dictionary cat',

  // Opening.
  openTitle: 'A model',
  dropHere: 'Drop a model of your own here:',
  dropWhat: 'a checkpoint (.safetensors, .gguf, .pt, .bin) with its tokenizer.json and config.json, ' +
    'a whole folder, or an .sb3 that was made here.',
  chooseFiles: 'Choose files',
  chooseFolder: 'Choose a folder',
  openCat: 'Back to the dictionary cat',
  opening: 'Opening the model',
  recognised: ({name, family, weights, layers, experts, vocabulary, context}) =>
    `${name}: a model of the family ${family} with ${short(weights)} weights in ` +
    `${number(layers)} layers${experts > 0 ? ` with ${number(experts)} experts each` : ''}, ` +
    `${number(vocabulary)} tokens to choose from, and a memory of ${number(context)} of them.`,
  isProject: 'It is a finished Scratch project: you can talk to it and see what is in it.',
  noTokenizer: 'No tokenizer came with it, so it cannot read text: drop its tokenizer.json together ' +
    'with it. As it is, the project will work with token numbers.',
  noFiles: 'There was no file in what you dropped.',
  nothingOpen: 'Open a model first.',

  // Talking.
  chatTitle: 'Talk to it',
  chatLog: 'Conversation',
  message: 'Your message',
  messageHint: 'What is a lighthouse?',
  send: 'Send',
  stop: 'Stop',
  newChat: 'New chat',
  suggestions: 'Questions to begin with',
  you: 'You',
  model: 'Model',
  speed: ({said, seconds}) => said < 2 ? '' :
    `${number(said)} tokens, ${number(Math.round(said / seconds))} a second. In Scratch's blocks it is slower.`,
  forgot: (turns) => turns === 1 ? 'The memory was full: the oldest turn is forgotten.' :
    `The memory was full: the oldest ${number(turns)} turns are forgotten.`,
  memoryFull: 'The memory is full: begin a new chat.',
  startedOver: 'The model was opened anew: it does not remember what was said above.',
  busy: 'The model is at work; you can talk again when it has finished.',

  // Making.
  buildTitle: 'Make a Scratch project of it',
  projectTitle: 'Title',
  context: 'Memory',
  contextOfModel: (context) => `the model's: ${number(context)} tokens`,
  contextTokens: (context) => `${number(context)} tokens`,
  contextNote: (context) => `It remembers the last ${number(context)} tokens, about ` +
    `${number(Math.round(context * 0.7))} words. Less memory makes the project smaller and quicker to open.`,
  target: 'Made for',
  targets: {
    sb3: 'Scratch and TurboWarp',
    site: "saving on Scratch's website",
    turbowarp: 'TurboWarp only',
  },
  targetNotes: {
    sb3: 'Opens in TurboWarp, and in Scratch from your computer; at most 10 MB.',
    site: 'Small enough for the website, which allows 5 MB of project: only small models fit. ' +
      'Making it takes longer.',
    turbowarp: 'May be larger than 10 MB; Scratch itself will not open it then.',
  },
  level: 'Size of the file',
  levels: {default: 'usual', fast: 'made quickly', smallest: 'as small as possible'},
  levelNotes: {
    default: 'A good middle.',
    fast: 'Made in less time, and larger.',
    smallest: 'Takes longer to make, and longer to start.',
  },
  bits: 'Bits of a weight',
  bitsOfModel: 'as the file has them',
  bitsCount: (bits) => `${bits}`,
  bitsNote: 'Float weights get 8. Fewer make the project smaller and the model worse.',
  build: 'Make the project',
  cancel: 'Cancel',
  cancelled: 'Cancelled. Nothing was made.',
  progress: 'Progress',

  // What was made.
  madeTitle: 'Your project',
  reportTitle: 'What is in it',
  play: 'Open it here',
  player: "The project in TurboWarp's player",
  download: (name) => `Download ${name}`,
  sizeOf: ({bytes, limit}) => bytes <= limit ?
    `${number(bytes)} bytes of the ${number(limit)} allowed (${Math.round(100 * bytes / limit)} %).` :
    `${number(bytes)} bytes, ${number(bytes - limit)} more than the ${number(limit)} allowed.`,
  overOf: ({what, value, limit}) => `Too large: ${number(value)} ${what}, and ${number(limit)} are allowed.`,
  size: 'Size against the limit',
  proof: ({positions, logits, error}) =>
    `Checked: the blocks compute the model's numbers. ${number(positions)} of ${number(positions)} positions ` +
    `agree in all ${number(logits)} numbers, to ${error} of the largest.`,
  made: ({seconds, memory}) => `Made in ${number(Math.round(seconds * 10) / 10)} s with ${mega(memory)} of memory.`,
  loading: ({turbowarp, scratch}) =>
    `After the green flag it needs about ${number(Math.ceil(turbowarp))} s in TurboWarp and ` +
    `${number(Math.ceil(scratch))} s in Scratch to get ready.`,
  nextTitle: 'What to do with it',
  next: 'Download it, open turbowarp.org, choose File, then "Load from your computer", and click the green flag. ' +
    "Scratch's editor opens it in the same way, but answers take about a hundred times longer there.",
  nextSite: "Download it, open it in Scratch's editor with File and \"Load from your computer\", and save it there.",
  treemap: 'Where the bytes go',
  adviceTitle: 'What would make it smaller',
  advice: ({what, bytes, changes_numbers: changes}) =>
    `${what}: about ${number(Math.round(bytes))} bytes less${changes ? ', and a slightly different model' : ', the same model'}`,
  adviceCommand: ({what, bytes}) =>
    `${what}: about ${number(Math.round(bytes))} bytes less, with the program for the command line`,

  // Work that is going on, by the beginning of what the program calls it.
  stages: {
    'reading weights': 'Reading the weights',
    'quantising': 'Rounding the weights',
    'making blocks': 'Making blocks',
    'choosing encodings': 'Choosing how to write the weights',
    'packing weights': 'Packing the weights',
    'writing project.json': 'Writing the project',
    'compressing': 'Making the file small',
    'reading back': 'Reading the finished file',
    'loading': 'Checking: the blocks unpack their weights',
    'thinking': 'Checking: the blocks compute',
    'reading a page of English': 'Measuring how well it knows English',
    'measuring': 'Measuring the file',
  },
  otherStage: 'Working',

  // What goes wrong.
  errorTitle: 'That did not work.',
  bug: 'This is a mistake of the program, not yours. Please report it with the name of the model.',
  outOfMemory: 'There is not enough memory in this browser for a model of this size.',
  brokenPage: 'The page cannot start its program; a newer browser may help.',
  unreachable: (address) => `${address} does not let this page read the model, or cannot be reached. ` +
    'Download the file and drop it here.',
  // What the program calls options, the page has as controls; others are the command line's alone.
  controls: {
    '--context': `the choice "Memory"`,
    '--target': `the choice "Made for"`,
    '--level': `the choice "Size of the file"`,
    '--bits': `the choice "Bits of a weight"`,
    '--title': `the field "Title"`,
    '--tokenizer': 'a tokenizer file dropped together with the model',
    '--prompt': 'the message',
    '--threads': 'the number of threads',
  },
  otherControl: (name) => `the setting ${name} of the program for the command line`,

  // A model from an address.
  askTitle: 'Load a model from the network?',
  askAddress: 'The link that opened this page names a model at this address:',
  askSize: (bytes) => bytes > 0 ? `It has ${mega(bytes)}.` : 'The address does not say how large it is.',
  askLook: 'Ask the address for its size',
  askLoad: 'Load it',
  askNo: 'No',
  fetching: 'Loading from the network',
};
