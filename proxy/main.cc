// The composition root: the command line chooses, proxy/commands.h does.

#include "proxy/commands.h"

int main(int argc, char** argv) { return gatebook::proxy::RunCommandLine(argc, argv); }
