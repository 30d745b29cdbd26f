"""What ``import_footprints.py`` installs and imports, and the sets that its table is held against.

The distributions are those that web apps, data apps, workers and bots deploy most.
"""

from __future__ import annotations

# Environments by name. Versions are the newest that resolve together; the lock is kept in the
# work folder, and the table names the versions that were measured.
REQUIREMENTS = {
    "main": (
        # web
        "flask fastapi django starlette uvicorn gunicorn werkzeug jinja2 aiohttp>=3.14 tornado "
        "bottle falcon sanic dash streamlit gradio quart litestar hypercorn waitress daphne "
        "channels djangorestframework django-cors-headers django-filter django-environ "
        "django-storages django-allauth django-redis django-debug-toolbar drf-spectacular "
        "whitenoise dj-database-url flask-cors flask-sqlalchemy flask-migrate flask-login "
        "flask-wtf flask-restful flask-socketio flask-jwt-extended flask-caching flask-mail "
        "flask-bcrypt sse-starlette python-multipart fastapi-users sqlmodel strawberry-graphql "
        "marshmallow wtforms email-validator babel>=2.17 markupsafe itsdangerous "
        # data
        "numpy pandas polars pyarrow scipy openpyxl xlrd xlsxwriter duckdb dask numba h5py xarray "
        "networkx sympy shapely pyproj geopandas fsspec "
        # machine learning
        "torch==2.13.0+cpu scikit-learn xgboost lightgbm catboost statsmodels joblib onnx "
        "onnxruntime transformers sentence-transformers tokenizers safetensors huggingface-hub "
        "datasets accelerate shap optuna mlflow-skinny prophet imbalanced-learn "
        # vision
        "opencv-python-headless pillow scikit-image imageio ultralytics "
        # language
        "nltk spacy gensim langchain langchain-core langchain-openai langchain-community "
        "langchain-text-splitters openai anthropic google-genai cohere mistralai groq tiktoken "
        "textblob "
        # databases
        "sqlalchemy psycopg2-binary psycopg[binary] pymysql mysql-connector-python pymongo redis "
        "asyncpg motor mongoengine peewee alembic aiosqlite clickhouse-connect cassandra-driver "
        "elasticsearch opensearch-py neo4j qdrant-client pinecone chromadb faiss-cpu "
        # clouds
        "boto3>=1.43 google-cloud-storage google-cloud-bigquery google-cloud-pubsub "
        "google-cloud-firestore google-cloud-secret-manager google-cloud-logging firebase-admin "
        "google-api-python-client gspread azure-storage-blob azure-identity "
        "azure-keyvault-secrets azure-cosmos kubernetes docker supabase "
        # tasks and messages
        "celery rq apscheduler dramatiq huey kombu flower kafka-python confluent-kafka pika "
        "paho-mqtt python-socketio websockets "
        # plotting and documents
        "matplotlib plotly seaborn bokeh altair folium pypdf pdfplumber reportlab python-docx "
        "python-pptx markdown qrcode "
        # the rest
        "requests httpx urllib3 pydantic pydantic-settings beautifulsoup4 lxml cryptography pyjwt "
        "python-jose passlib bcrypt argon2-cffi pyyaml ruamel.yaml toml orjson ujson discord.py "
        "python-telegram-bot pytelegrambotapi tweepy slack-sdk slack-bolt stripe twilio sendgrid "
        "sentry-sdk prometheus-client opentelemetry-sdk opentelemetry-api newrelic loguru "
        "structlog rich click typer tqdm python-dotenv python-dateutil pytz arrow pendulum "
        "tenacity jsonschema attrs cachetools grpcio protobuf gevent eventlet psutil selenium "
        "scrapy phonenumbers geopy feedparser paramiko rdflib zstandard cffi aiofiles authlib "
        "requests-oauthlib oauthlib"
    ).split(),
    "other": (  # what does not resolve together with the newest of the above
        "tensorflow-cpu keras aiogram s3fs graphene weaviate-client ariadne ddtrace "
        "graphene-django moviepy tensorboard"
    ).split(),
}

# Distributions that only the check knows, and some that are in the table beside them.
HELD = (
    "pyramid cherrypy nicegui blacksheep tortoise-orm beanie sqladmin influxdb-client minio "
    "dropbox notion-client yfinance ccxt web3 panel shiny xmltodict pytesseract librosa timm "
    "lightning pyspark-client lifelines category-encoders plotnine python-binance textual "
    "weasyprint fpdf2 icalendar apprise instructor litellm llama-index-core pydantic-ai-slim "
    "gql zeep ldap3 prefect-client pytest hypothesis flask fastapi pandas scikit-learn "
    "torch==2.13.0+cpu"
).split()

# Names that apps import and that are neither a package nor a module right below one: attributes
# that load more (the package is lazy), and modules further down.
DEEPER = {
    "django": (
        "django.contrib.admin django.contrib.auth django.core.wsgi "
        "django.core.asgi django.core.management django.db.models django.urls django.views.generic "
        "django.template.loader django.contrib.staticfiles django.contrib.sessions "
        "django.contrib.messages django.contrib.postgres django.contrib.gis django.contrib.sites "
        "django.contrib.humanize django.contrib.contenttypes django.contrib.sitemaps "
        "django.utils.translation django.utils.timezone"
    ),
    "celery": "celery.Celery celery.shared_task celery.schedules celery.utils.log",
    "kombu": "kombu.Connection",
    "transformers": (
        "transformers.pipeline transformers.AutoModel transformers.AutoTokenizer "
        "transformers.AutoModelForSequenceClassification transformers.AutoModelForCausalLM "
        "transformers.AutoImageProcessor transformers.AutoConfig transformers.BertTokenizer "
        "transformers.BertModel transformers.CLIPModel transformers.Trainer"
    ),
    "huggingface-hub": (
        "huggingface_hub.hf_hub_download huggingface_hub.snapshot_download "
        "huggingface_hub.InferenceClient huggingface_hub.HfApi huggingface_hub.login"
    ),
    "pydantic": "pydantic.BaseModel pydantic.Field",
    "plotly": "plotly.graph_objects.Figure plotly.graph_objs plotly.subplots",
    "langchain-community": (
        "langchain_community.vectorstores.FAISS langchain_community.document_loaders.PyPDFLoader "
        "langchain_community.chat_models.ChatOpenAI langchain_community.embeddings."
        "HuggingFaceEmbeddings langchain_community.vectorstores.Chroma"
    ),
    "langchain": "langchain.chat_models langchain.agents.create_agent",
    "langchain-openai": "langchain_openai.ChatOpenAI langchain_openai.OpenAIEmbeddings",
    "langchain-core": (
        "langchain_core.prompts.ChatPromptTemplate langchain_core.messages.HumanMessage "
        "langchain_core.output_parsers.StrOutputParser langchain_core.documents.Document"
    ),
    "langchain-text-splitters": "langchain_text_splitters.RecursiveCharacterTextSplitter",
    "openai": "openai.OpenAI openai.AsyncOpenAI",
    "anthropic": "anthropic.Anthropic",
    "cohere": "cohere.Client",
    "mistralai": "mistralai.Mistral",
    "groq": "groq.Groq",
    "google-genai": "google.genai.Client google.genai.types",
    "scikit-image": "skimage.io.imread skimage.transform.resize skimage.filters.gaussian",
    "scipy": "scipy.sparse.linalg scipy.sparse.csgraph",
    "ultralytics": "ultralytics.YOLO",
    "sentence-transformers": "sentence_transformers.SentenceTransformer",
    "datasets": "datasets.load_dataset",
    "torch": "torch.nn.functional torch.utils.data",
    "kubernetes": "kubernetes.client kubernetes.config",
    "twilio": "twilio.rest.Client",
    "sendgrid": "sendgrid.helpers.mail",
    "sqlalchemy": (
        "sqlalchemy.ext.declarative sqlalchemy.ext.asyncio sqlalchemy.ext.hybrid "
        "sqlalchemy.ext.automap sqlalchemy.dialects.postgresql sqlalchemy.dialects.mysql "
        "sqlalchemy.dialects.sqlite"
    ),
    "redis": "redis.asyncio",
    "statsmodels": "statsmodels.tsa.arima.model statsmodels.stats.api",
    "matplotlib": "matplotlib.backends.backend_agg matplotlib.pyplot",
    "discord-py": "discord.ext.commands discord.ext.tasks",
    "python-telegram-bot": "telegram.ext",
    "apscheduler": "apscheduler.schedulers.background apscheduler.schedulers.blocking "
    "apscheduler.schedulers.asyncio",
    "selenium": (
        "selenium.webdriver.Chrome selenium.webdriver.common.by selenium.webdriver.support.ui"
    ),
    "opentelemetry-sdk": "opentelemetry.sdk.trace opentelemetry.sdk.metrics",
    "sentry-sdk": "sentry_sdk.integrations.flask sentry_sdk.integrations.django "
    "sentry_sdk.integrations.fastapi sentry_sdk.integrations.celery",
    "google-api-python-client": "googleapiclient.discovery googleapiclient.http",
    "azure-storage-blob": "azure.storage.blob.BlobServiceClient azure.storage.blob.aio",
    "uvicorn": "uvicorn.main uvicorn.workers uvicorn.protocols.http.h11_impl",
    "gunicorn": "gunicorn.app.wsgiapp gunicorn.app.base",
    "rich": "rich.console rich.table",
    "nltk": "nltk.tokenize nltk.corpus nltk.stem nltk.sentiment",
    "reportlab": "reportlab.pdfgen.canvas reportlab.lib.pagesizes reportlab.platypus",
    "cryptography": "cryptography.fernet cryptography.hazmat.primitives.ciphers "
    "cryptography.hazmat.primitives.serialization",
    "pandas": "pandas.plotting",
    "firebase-admin": "firebase_admin.firestore firebase_admin.credentials",
    "xgboost": "xgboost.XGBClassifier",
    "numpy": "numpy.random numpy.linalg",
}

_DJANGO = """
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib." + app for app in (
        "admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SECRET_KEY="x", USE_TZ=True)
"""
# Names whose use loads what importing them does not: Django's default project, started.
CODE = {
    "django": {
        "django.core.wsgi.get_wsgi_application": _DJANGO
        + "from django.core.wsgi import get_wsgi_application; get_wsgi_application()",
        "django.core.asgi.get_asgi_application": _DJANGO
        + "from django.core.asgi import get_asgi_application; get_asgi_application()",
    },
}

# Distributions that hold the same modules as a measured one.
ALIASES = {
    "opencv-python": "opencv-python-headless",
    "opencv-contrib-python": "opencv-python-headless",
    "opencv-contrib-python-headless": "opencv-python-headless",
    "psycopg2": "psycopg2-binary",
    "psycopg-c": "psycopg-binary",
    "tensorflow": "tensorflow-cpu",
    "polars-lts-cpu": "polars",
    "polars-runtime-64": "polars-runtime-32",
    "polars-runtime-compat": "polars-runtime-32",
    "onnxruntime-gpu": "onnxruntime",
    "pillow-simd": "pillow",
    "xgboost-cpu": "xgboost",
    "faiss-gpu": "faiss-cpu",
    "kafka-python-ng": "kafka-python",
}

# Held-out sets, by environment: what real apps import when they start. The runs that the table is
# made from import names of one distribution each.
CHECKED = {
    "main": (
        "flask cv2 onnxruntime PIL.Image requests",
        "flask ultralytics.YOLO cv2 PIL.Image requests",
        "fastapi uvicorn pandas sklearn.ensemble joblib",
        "django.core.wsgi.get_wsgi_application psycopg2 redis celery.Celery boto3 whitenoise",
        "flask pandas plotly.express sklearn",
        "fastapi transformers.AutoTokenizer transformers.AutoModel torch",
        "flask xgboost pandas",
        "fastapi sqlalchemy.orm pydantic.BaseModel httpx alembic",
        "streamlit pandas matplotlib.pyplot seaborn",
        "dash plotly.graph_objects pandas numpy",
        "gradio openai.OpenAI PIL.Image",
        "telegram.ext requests apscheduler.schedulers.background",
        "discord.ext.commands aiohttp asyncpg",
        "tornado.web pymongo motor",
        "aiohttp redis.asyncio asyncpg orjson",
        "flask flask_sqlalchemy flask_migrate flask_login flask_wtf psycopg2",
        "fastapi langchain_openai.ChatOpenAI chromadb",
        "fastapi google.cloud.storage google.cloud.bigquery",
        "flask azure.storage.blob.BlobServiceClient azure.identity",
        "celery.Celery boto3 pandas openpyxl",
        "flask nltk sklearn.feature_extraction joblib",
        "fastapi uvicorn spacy",
        "flask gensim numpy",
        "slack_bolt sqlalchemy stripe twilio.rest.Client sentry_sdk",
        "scrapy bs4 lxml pandas",
        "fastapi duckdb polars",
        "dash statsmodels.api pandas",
        "flask skimage.io.imread scipy.ndimage",
        "flask lightgbm catboost",
        "fastapi sentence_transformers.SentenceTransformer qdrant_client",
        "fastapi openai anthropic tiktoken",
        "sanic redis peewee",
    ),
    "other": (
        "tensorflow PIL.Image requests",
        "aiogram s3fs pydantic.BaseModel",
    ),
    # with distributions that are not in the table
    "held": (
        "flask plotnine",
        "nicegui pandas",
        "cherrypy requests",
        "fastapi tortoise",
        "fastapi beanie",
        "flask yfinance pandas",
        "fastapi web3",
        "flask librosa",
        "fastapi litellm",
        "flask zeep",
        "panel pandas",
        "fastapi lifelines",
        "flask weasyprint",
        "fastapi textual icalendar",
        "flask apprise xmltodict",
        "fastapi influxdb_client minio",
        "flask ccxt",
    ),
}

# Half widths of the intervals, as docs/memory.md derives them from ``check`` and from old versions.
ERRORS = {
    "table": 0.05,
    "added": 500,
    "version": {"patch": 0.03, "minor": 0.06, "major": 0.5},
    "python": {"3.10": 0.07, "3.12": 0.02, "3.13": 0.02, "": 0.15},
    "seconds": 0.5,
}
