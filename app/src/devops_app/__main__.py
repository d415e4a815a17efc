"""`python -m devops_app`: serve."""

from .server import run

if __name__ == "__main__":
    run()
