// In the page: TurboWarp's virtual machine as its packager ships it, with compiler and renderer.

export async function openMachine(request) {
  const player = new window.Scaffolding.Scaffolding();
  player.width = 480;
  player.height = 360;
  player.resizeMode = 'preserve-ratio';
  player.setup();
  player.appendTo(document.getElementById('stage'));
  player.vm.setTurboMode(request.turbo);
  player.vm.setCompilerOptions({enabled: true, warpTimer: request.warp_timer});
  return {vm: player.vm, loadProject: (bytes) => player.loadProject(bytes)};
}
