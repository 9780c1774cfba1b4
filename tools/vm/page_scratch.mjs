// In the page: the Scratch Foundation's virtual machine.
// It runs without a renderer, as in Node, unless a picture is asked for: drawing costs time.
// Monitors belong to Scratch's editor and are not in the picture.

export async function openMachine(request) {
  const vm = new window.VirtualMachine();
  vm.attachStorage(new window.ScratchStorage.ScratchStorage());
  if (request.screenshot) {
    const canvas = document.createElement('canvas');
    document.getElementById('stage').append(canvas);
    const renderer = new window.ScratchRender(canvas);
    renderer.resize(480, 360);
    Object.assign(canvas.style, {width: '480px', height: '360px'});
    vm.attachRenderer(renderer);
  }
  vm.setTurboMode(request.turbo);
  return {vm, loadProject: (bytes) => vm.loadProject(bytes)};
}
